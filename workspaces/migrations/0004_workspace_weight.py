"""A workspace's part of the routes that several share."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0003_account_sessions_and_grants"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="weight",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.CheckConstraint(
                condition=models.Q(("weight__gte", 1), ("weight__lte", 100)),
                name="workspace_weight",
            ),
        ),
    ]

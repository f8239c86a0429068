"""How long each workspace keeps what subscribers wrote to it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0005_doubt_after_a_restore"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="reply_days",
            field=models.PositiveSmallIntegerField(default=180),
        ),
    ]

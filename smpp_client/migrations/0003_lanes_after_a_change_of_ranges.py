from django.db import migrations, models

from audit.rules.watched import not_watching, watching


class Migration(migrations.Migration):
    dependencies = [("smpp_client", "0002_watched_tables")]

    operations = [
        migrations.AddField(
            model_name="route",
            name="ranges_changed_at",
            field=models.DateTimeField(null=True),
        ),
        # The new column is nobody's decision, so the triggers must not look at it.
        migrations.RunSQL(not_watching("route"), watching("route")),
        migrations.RunSQL(watching("route"), not_watching("route")),
    ]

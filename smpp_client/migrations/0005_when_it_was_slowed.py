from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("smpp_client", "0004_who_stands_still")]

    operations = [
        migrations.AddField(
            model_name="lease", name="slowed_at", field=models.DateTimeField(null=True)
        ),
    ]

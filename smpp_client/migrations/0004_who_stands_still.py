from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("smpp_client", "0003_lanes_after_a_change_of_ranges")]

    operations = [
        migrations.AddField(
            model_name="sessionstatus",
            name="stands_still",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]

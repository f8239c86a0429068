"""Files of old Macs end their lines with CR."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0008_list_layout")]

    operations = [
        migrations.AddField(
            "recipientlist", "line_end", models.CharField(default="\n", max_length=1)
        ),
    ]

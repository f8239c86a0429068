"""An audience may be taken away while its campaign is built anew, and only then."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0005_sending")]

    operations = [
        migrations.RunSQL(Path(__file__).with_name("0006_discard_audience.sql").read_text("utf-8"))
    ]

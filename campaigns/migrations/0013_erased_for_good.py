"""What stands for an erased row's values answers no guess of them."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0012_release_lost_waits")]

    operations = [migrations.RunSQL(SQL)]

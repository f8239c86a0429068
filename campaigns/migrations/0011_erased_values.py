"""When a number is erased, what its row said goes too; the approval of its audience still holds."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0010_alphabet_counted_for")]

    operations = [
        migrations.AddField(
            model_name="recipient",
            name="values_digest",
            field=models.BinaryField(null=True),
        ),
        migrations.RunSQL(SQL),
    ]

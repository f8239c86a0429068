"""A receipt rewrites its submission in place: no index names what it sets, and the page has room."""

from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0025_message_segments")]

    operations = [
        migrations.CreateModel(
            name="ReceiptsAwaited",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("since_at", models.DateTimeField()),
            ],
            options={"db_table": "receipts_awaited"},
        ),
        migrations.RunSQL(
            Path(__file__).with_name("0026_receipts_in_place.sql").read_text("utf-8"),
            migrations.RunSQL.noop,
        ),
    ]

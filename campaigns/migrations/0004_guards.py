"""What the database refuses by itself: illegal moves, changed evidence, one pair of eyes."""

from pathlib import Path

from django.db import migrations

from campaigns.rules.campaign_states import moves_as_sql


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_partitions")]

    operations = [
        migrations.RunSQL(
            Path(__file__)
            .with_name("0004_guards.sql")
            .read_text("utf-8")
            .replace("/* moves */", moves_as_sql())
        )
    ]

"""An attempt that a late answer settles says so, as those settled by receipts and records do."""

from pathlib import Path

from django.db import migrations

BEFORE = "smsc_id = excluded.smsc_id, happened_at = excluded.happened_at"


def record_outcomes() -> str:
    """Return the function as 0005 made it, with the evidence of what settled an unknown."""
    text = Path(__file__).with_name("0005_sending.sql").read_text("utf-8")
    begin = text.index("CREATE FUNCTION record_outcomes(")
    function = text[begin : text.index("END $$;", begin) + len("END $$;")]
    assert function.count(BEFORE) == 1
    changed = function.replace(BEFORE, f"{BEFORE}, evidence = 'response'")
    return changed.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0019_receipts_of_payloads")]

    operations = [migrations.RunSQL(record_outcomes(), migrations.RunSQL.noop)]

"""An erased number accounts for what it changes in opt-outs: their watch knows the operation."""

from django.db import migrations

from audit.rules.watched import not_watching, watching


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0010_find_values"),
        ("campaigns", "0030_reply_holders"),
    ]

    operations = [
        migrations.RunSQL(
            f"{not_watching('opt_out')}\n{watching('opt_out')}", migrations.RunSQL.noop
        )
    ]

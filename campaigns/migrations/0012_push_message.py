"""A message of the API is taken in one call; its number is in no list, so it may come again."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0011_messages_by_state"),
        ("workspaces", "0003_account_sessions_and_grants"),
    ]

    operations = [
        migrations.AlterField(
            "recipient",
            "recipient_list",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="recipients",
                to="campaigns.recipientlist",
            ),
        ),
        migrations.AlterField(
            "apimessage",
            "api_key",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="workspaces.apikey",
            ),
        ),
        migrations.AddIndex(
            "apimessage",
            models.Index(fields=["api_key", "campaign", "created_at"], name="api_message_of_key"),
        ),
        migrations.RunSQL(
            Path(__file__).with_name("0012_push_message.sql").read_text("utf-8"),
            "DROP FUNCTION push_message;",
        ),
    ]

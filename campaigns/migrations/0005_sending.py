"""Claim, record, receive, recover: each one autocommitted call (ARCHITECTURE.md, "Sending")."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0004_guards"), ("smpp_client", "0001_connections")]

    operations = [
        migrations.RunSQL(Path(__file__).with_name("0005_sending.sql").read_text("utf-8")),
    ]

"""An import of a million rows paid for indexes nobody read and a key that another one implies."""

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


def plain_key(model: str, name: str, to: str, related_name: str) -> Operation:
    """Return the change to a foreign key without index and constraint of its own."""
    return migrations.AlterField(
        model,
        name,
        models.ForeignKey(
            db_constraint=False,
            db_index=False,
            on_delete=models.CASCADE if related_name == "faults" else models.PROTECT,
            related_name=related_name,
            to=to,
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0009_list_line_end")]

    operations = [
        plain_key("recipient", "workspace", "workspaces.workspace", "+"),
        plain_key("recipient", "recipient_list", "campaigns.recipientlist", "recipients"),
        plain_key("recipientfault", "workspace", "workspaces.workspace", "+"),
        plain_key("recipientfault", "recipient_list", "campaigns.recipientlist", "faults"),
        migrations.AddIndex(
            "recipient", models.Index(fields=["recipient_list", "id"], name="recipient_of_list")
        ),
    ]

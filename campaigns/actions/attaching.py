"""A receipt that fits no message by itself, given to the one that a person says it is about."""

from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.rules.reasons import SHORTEST_NOTE
from campaigns.actions.moves import CampaignRefused, campaign_obj, lock
from workspaces.actions.noting import note
from workspaces.queries.me import Me

# The unknown attempt of that message and the receipt, where both are about one person and peer.
FITTING = """
SELECT s.batch_on, s.batch_id, s.position, s.part, r.smsc_id, r.state, r.error, r.received_at,
       r.received_on
FROM receipt r
JOIN submission s ON s.connection_id = r.connection_id AND s.kind = 'unknown'
JOIN message m ON m.frozen_on = %(frozen_on)s AND m.campaign_id = s.campaign_id
    AND m.position = s.position AND m.fingerprint = r.fingerprint
WHERE r.id = %(receipt)s AND r.result = 'orphan' AND NOT r.is_unmarked
  AND s.campaign_id = %(campaign)s AND s.position = %(position)s AND s.batch_on >= %(frozen_on)s
ORDER BY s.part LIMIT 1
"""
SETTLE = "SELECT settle_as_accepted(%s, %s, %s, %s, %s, %s, %s, %s, 'person')"
TAKEN = "UPDATE receipt SET result = 'settled', look_at = NULL WHERE received_on = %s AND id = %s"


class AttachRefused(CampaignRefused):
    """The receipt cannot be given to this message."""


def attach_receipt(
    *, number: int, position: int, receipt_id: int, by: Me, why: str, now: datetime
) -> None:
    """Settle the first unknown part of a message by a receipt about the same person.

    Raises AttachRefused, NoSuchCampaign.
    """
    if len(why.strip()) < SHORTEST_NOTE:
        raise AttachRefused(_("Say how you know that it is about this message."), field="why")
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        campaign = lock(by.here, number)
        cursor.execute("SELECT only_one_settles()")
        values = {
            "campaign": campaign.pk,
            "frozen_on": campaign.frozen_on,
            "position": position,
            "receipt": receipt_id,
        }
        cursor.execute(FITTING, values)
        row = cursor.fetchone()
        if row is None:
            raise AttachRefused(_("The message or the receipt is settled already. Look again."))
        *settled, received_on = row
        cursor.execute(SETTLE, settled)
        cursor.execute(TAKEN, [received_on, receipt_id])
        note(
            by,
            "receipt.attach",
            campaign_obj(campaign.pk),
            now=now,
            diff={"position": (None, position), "receipt": (None, receipt_id)},
            why=why,
        )

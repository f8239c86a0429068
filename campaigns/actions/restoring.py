"""After a restore from a backup: one person asks how to go on, another confirms it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from campaigns.models import Campaign
from campaigns.queries.doubtful import Doubtful, doubtful
from smpp_client.models import Lease
from workspaces.actions.epoch_file import EpochFile
from workspaces.models import Installation, User
from workspaces.rules.epochs import BadEpoch, Choice, Epoch
from workspaces.rules.refusal import Refusal

CAUSE = "the database was restored from a backup"


class RestoreRefused(Refusal):
    """Nothing is to be confirmed, or not by this person."""


@dataclass(frozen=True)
class Confirmed:
    """What became of the doubt: the choice, and how many messages are unknown now."""

    choice: Choice
    unknown_count: int


def ask_restore(*, by: User, choice: Choice, why: str, now: datetime) -> None:
    """Ask to end the doubt in this way; asking again replaces what was asked.

    Raises RestoreRefused.
    """
    why = " ".join(why.split())
    if not why:
        raise RestoreRefused(_("Say why, in a few words: it stays in the audit log."), field="why")
    with transaction.atomic(durable=True):
        installation = _in_doubt(by)
        installation.restore_choice = choice.value
        installation.restore_why = why[:300]
        installation.restore_asked_by = by
        installation.restore_asked_at = now
        installation.save(
            update_fields=[
                "restore_choice",
                "restore_why",
                "restore_asked_by",
                "restore_asked_at",
            ]
        )
        _note("restore.ask", installation, by, now, choice)


def confirm_restore(*, by: User, file: EpochFile, now: datetime) -> Confirmed:
    """Do what another person asked for, and let the senders claim again.

    Raises RestoreRefused, and OSError when the epoch file cannot be written.
    """
    with transaction.atomic(durable=True):
        installation = _in_doubt(by)
        asked = installation.restore_asked_by
        if asked is None:
            raise RestoreRefused(_("Nobody has asked for anything yet."))
        if asked.person_id == by.person_id:
            raise RestoreRefused(_("Another person has to confirm what you asked for."))
        choice = Choice(installation.restore_choice)
        _fence()
        kept = _kept(file)
        rows = doubtful(installation, kept, now)
        count = sum(_doubt(row, choice, installation, by, now) for row in rows)
        installation.epoch = max(installation.epoch, kept.number if kept else 0) + 1
        installation.epoch_at = now
        _note("restore.confirm", installation, by, now, choice, count=count)
        _clear(installation)
        # Before the commit: until then no sender of this database claims, advances or doubts, and
        # what breaks off here leaves the doubt that there was.
        file.replace_with(Epoch(installation.uuid, installation.epoch, now))
    return Confirmed(choice, count)


def _in_doubt(by: User) -> Installation:
    """Return the installation's row, locked. Raises RestoreRefused."""
    if not by.is_super_admin:
        raise RestoreRefused(_("Only super admins decide this."))
    installation = Installation.objects.select_for_update().get(id=1)
    if not installation.doubt:
        raise RestoreRefused(
            _("There is no doubt about this database. The sender looks when it starts.")
        )
    return installation


def _fence() -> None:
    """Take every lease from its owner: a living sender still has one that the backup knows too.

    Whoever takes it next settles what was in flight when the backup was made.
    """
    Lease.objects.order_by("pk").update(epoch=F("epoch") + 1, owner="", expires_at=None)


def _kept(file: EpochFile) -> Epoch | None:
    try:
        return file.read()
    except BadEpoch:
        return None


def _doubt(
    row: Doubtful, choice: Choice, installation: Installation, by: User, now: datetime
) -> int:
    """Make what may have been sent of one campaign unknown; return how many messages."""
    if choice is Choice.GO_ON:
        return 0
    most = row.waiting if choice is Choice.ALL_UNKNOWN else row.most
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT doubt_campaign(%s, %s, %s, %s)",
            [row.campaign_id, most, installation.doubted_at, CAUSE],
        )
        count = int(cursor.fetchone()[0])
    if count:
        campaign = Campaign.objects.select_related("workspace").get(pk=row.campaign_id)
        record(
            "campaign.doubt",
            workspace=campaign.workspace.uuid,
            actor=Actor("user", f"usr_{by.pk}"),
            obj=Obj("campaign", f"cmp_{campaign.pk}"),
            now=now,
            diff={"unknown": (None, count)},
            why=installation.restore_why,
        )
    return count


def _clear(installation: Installation) -> None:
    installation.doubt = installation.restore_choice = installation.restore_why = ""
    installation.doubted_at = installation.restore_asked_at = None
    installation.restore_asked_by = None
    installation.save()


def _note(
    op: str, installation: Installation, by: User, now: datetime, choice: Choice, count: int = 0
) -> None:
    diff: dict[str, tuple[object, object]] = {"choice": (None, choice.value)}
    if count:
        diff["unknown"] = (None, count)
    record(
        op,
        workspace=installation.uuid,
        actor=Actor("user", f"usr_{by.pk}"),
        obj=Obj("installation", str(installation.uuid)),
        now=now,
        diff=diff,
        why=installation.restore_why,
    )

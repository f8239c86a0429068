"""Erase one subscriber's number from a workspace: what leads to him goes, what happened stays.

Messages, outcomes and opt-outs keep the keyed fingerprint, so that he gets nothing again and that
evidence still answers when he presents his number. The log commits to the number by a salt that is
told once and kept nowhere.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.actions.erase import MOST, erase
from audit.actions.record import record
from audit.queries.kept import holding
from audit.rules.events import Actor, Obj
from audit.rules.hashes import commitment
from audit.rules.reasons import SHORTEST_REASON
from campaigns.models import RecipientFault
from campaigns.queries.faulty_rows import faulty_rows_with
from campaigns.queries.holding import RECIPIENTS, Held, code_of, held, person_in
from campaigns.rules.faults import FAULTS, Fault
from campaigns.rules.intake import row_context, value_context
from campaigns.rules.numbers import normalise
from workspaces.models import Workspace
from workspaces.queries.keys import keys
from workspaces.rules.refusal import Refusal

# The values go with it, by a trigger.
_RECIPIENTS = f"UPDATE recipient SET number_sealed = NULL WHERE id IN ({RECIPIENTS})"  # noqa: S608 - constants
_OPT_OUTS = (
    "UPDATE opt_out SET number_sealed = '' WHERE workspace_id = %(place)s"
    " AND fingerprint = %(person)s AND number_sealed <> ''"
)
# As when their time is over (reply_upkeep): what somebody wrote leads to him too.
_REPLIES = (
    "UPDATE inbound_message SET fingerprint = NULL, number_sealed = NULL, content_sealed = NULL,"
    " digest = '', is_settled = true WHERE workspace_id = %(place)s AND fingerprint = %(person)s"
)


class EraseRefused(Refusal):
    """Nothing was erased."""

    code = "erase_refused"


@dataclass(frozen=True)
class Erased:
    """What was erased, and the salt (hex) by which the entry's commitment can be shown to be about
    this number.
    """

    held: Held
    salt: str


def clear_number(text: str) -> str:
    """Return a typed international number as digits. Raises EraseRefused."""
    number = normalise(text, "")
    if isinstance(number, Fault):
        raise EraseRefused(_(FAULTS[number]), field="number")
    return number


def erase_number(
    *, workspace: Workspace, number: str, code: str, actor: Actor, basis: str, now: datetime
) -> Erased:
    """Erase a number (digits) wherever the workspace holds it, and record that and on what ground.

    `code` is what `code_of` gave for what is held now: what was looked at is what goes. Values of
    log entries that have no number yet stay; run again a minute later. Runs in the workspace's
    scope. Raises EraseRefused.
    """
    basis = " ".join(basis.split())
    if len(basis) < SHORTEST_REASON:
        raise EraseRefused(_("Say on what legal ground, in at least 10 characters."), field="basis")
    found = held(workspace, number)
    if not found.total:
        raise EraseRefused(_("This workspace holds this number nowhere."))
    if not secrets.compare_digest(code.encode(), code_of(workspace, number, found).encode()):
        raise EraseRefused(_("This is not the code for what would be erased now. Look again."))
    # Before the entry that says so: what is broken off here has said nothing, and is done again.
    entries = _erase_values(workspace, number, actor, basis, now)
    salt = secrets.token_bytes(32)
    with transaction.atomic(durable=True):
        done = Held(
            recipients=_run(_RECIPIENTS, workspace, number),
            faulty_rows=_empty_faulty_rows(workspace, number),
            opt_outs=_run(_OPT_OUTS, workspace, number),
            replies=_run(_REPLIES, workspace, number),
            entries=entries,
        )
        left = len(holding(workspace.uuid, f"+{number}"))
        record(
            "number.erase",
            workspace=workspace.uuid,
            actor=actor,
            obj=Obj("workspace", f"wsp_{workspace.pk}"),
            now=now,
            diff={
                "number": (commitment(salt, "number", f"+{number}"), None),
                "recipients": (done.recipients, 0),
                "faulty_rows": (done.faulty_rows, 0),
                "opt_outs": (done.opt_outs, 0),
                "replies": (done.replies, 0),
                "entries": (done.entries + left, left),
            },
            why=basis,
        )
    return Erased(done, salt.hex())


def _run(statement: str, workspace: Workspace, number: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, person_in(workspace, number))
        return int(cursor.rowcount)


def _empty_faulty_rows(workspace: Workspace, number: str) -> int:
    """Take the cells out of the rows of files that were not taken; that there was a row stays."""
    seal = keys()
    found = faulty_rows_with(workspace, number)
    for row in found:
        RecipientFault.objects.filter(workspace=workspace, pk=row.pk).update(
            value_sealed=seal.seal("", value_context(row.list_id)),
            row_sealed=seal.seal("[]", row_context(row.list_id)),
        )
    return len(found)


def _erase_values(
    workspace: Workspace, number: str, actor: Actor, basis: str, now: datetime
) -> int:
    """Erase the number from the log's own values, each batch with its `pd.erase`; return how many
    there were.
    """
    values = holding(workspace.uuid, f"+{number}")
    return sum(
        erase(
            workspace=workspace.uuid,
            values=values[first : first + MOST],
            actor=actor,
            obj=Obj("workspace", f"wsp_{workspace.pk}"),
            basis=basis,
            now=now,
        )
        for first in range(0, len(values), MOST)
    )

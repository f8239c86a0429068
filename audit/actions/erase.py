"""Erase personal values: the commitments stay, so every hash stays valid."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.utils.translation import gettext as _

from audit.actions.append import append_event
from audit.rules.events import Actor, Erased, Happening, Obj
from audit.rules.reasons import SHORTEST_REASON

MOST = 500


class EraseRefused(ValueError):
    """Nothing was erased; the sentence is for people, `field` names what to mend."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def erase(
    *,
    workspace: UUID,
    values: Collection[Erased],
    actor: Actor,
    obj: Obj,
    basis: str,
    now: datetime,
    request_id: str = "",
) -> int:
    """Erase values of numbered entries of a chain for ever, and record which; return how many were
    still there.

    `basis` is the legal ground, in words; `obj` is what the entries are about. Raises EraseRefused.
    """
    basis = " ".join(basis.split())
    if len(basis) < SHORTEST_REASON:
        raise EraseRefused(
            _("Say on what legal ground, in at least 10 characters. Auditors read it."),
            field="basis",
        )
    if not 0 < len(values) <= MOST:
        raise EraseRefused(_("Choose between 1 and 500 values."))
    happening = Happening(
        op="pd.erase",
        eid=uuid4(),
        workspace=workspace,
        actor=actor,
        obj=obj,
        at=now,
        why=basis,
        request_id=request_id,
        erased=sorted(values),
    )
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            append_event(cursor, happening)
            cursor.execute("SELECT audit_erase(%s, %s)", [workspace, happening.eid])
            (count,) = cursor.fetchone()
    except IntegrityError as unknown:
        raise EraseRefused(_("An entry has no such value, or no number yet.")) from unknown
    return int(count)

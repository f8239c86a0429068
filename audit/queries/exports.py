"""Exports of evidence as their page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.models import Export
from audit.queries import names
from audit.rules.export_states import UNFINISHED, State

SHOWN = 20


@dataclass(frozen=True)
class Shown:
    """An export with the names of people; `percent` is None while nobody knows how much it is."""

    id: int
    state: State
    since: datetime | None
    until: datetime | None
    shows_values: bool
    reason: str
    asked_by: str
    asked_at: datetime
    decided_by: str
    decision_note: str
    percent: int | None
    expires_at: datetime | None
    size: int
    sha256: str
    manifest_sha256: str
    entry_count: int
    problem: str
    is_own: bool

    @property
    def is_unfinished(self) -> bool:
        """Say whether somebody or something still has to act."""
        return self.state in UNFINISHED

    @property
    def is_at_work(self) -> bool:
        """Say whether it changes by itself."""
        return self.state in {State.QUEUED, State.RUNNING}


def exports(workspace: UUID, *, person_id: int, limit: int = SHOWN) -> list[Shown]:
    """Return a workspace's newest exports; `person_id` is who looks."""
    found = list(Export.objects.filter(ws=workspace).order_by("-pk")[:limit])
    return _shown(found, person_id)


def export_of(workspace: UUID, export_id: int, *, person_id: int) -> Shown | None:
    """Return one export of a workspace."""
    found = Export.objects.filter(ws=workspace, pk=export_id)
    return next(iter(_shown(list(found), person_id)), None)


def _shown(found: Sequence[Export], person_id: int) -> list[Shown]:
    ids = {one for export in found for one in (export.asked_by, export.decided_by) if one}
    known = names.names("user", ids)
    return [
        Shown(
            id=export.pk,
            state=State(export.state),
            since=export.since,
            until=export.until,
            shows_values=export.shows_values,
            reason=export.reason,
            asked_by=known.get(export.asked_by, export.asked_by),
            asked_at=export.asked_at,
            decided_by=known.get(export.decided_by, export.decided_by),
            decision_note=export.decision_note,
            percent=min(99, 100 * export.done // export.total) if export.total else None,
            expires_at=export.expires_at,
            size=export.size,
            sha256=export.sha256,
            manifest_sha256=export.manifest_sha256,
            entry_count=export.entry_count,
            problem=export.problem,
            is_own=export.asked_person == person_id,
        )
        for export in found
    ]

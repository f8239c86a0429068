"""What keeps sealed segments well: they end with their term, and strays are removed."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import transaction

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from audit.rules.segments import TERM_DAYS
from campaigns.models import MessageSegment
from campaigns.queries.segment_files import path_of, segments_folder
from workspaces.models import Workspace
from workspaces.scope import scope_everywhere

SWEEP: Final = Actor(kind="system", id="sweep")
# A pass that was killed left its file; one that is under way is younger.
STRAY_AFTER = timedelta(days=1)


def prune_segments(now: datetime) -> int:
    """Destroy keys and files of segments whose term is over; return how many.

    The row and the chain keep root, digest and counts: that they were sealed stays provable, who
    got what does not.
    """
    before = now - timedelta(days=TERM_DAYS)
    with scope_everywhere("segments of all workspaces end with their term"):
        old = MessageSegment.objects.filter(pruned_at=None, until_at__lt=before)
        places = Workspace.objects.filter(pk__in=old.values("workspace_id")).order_by("pk")
        return sum(_prune(place, before, now) for place in places)


def _prune(workspace: Workspace, before: datetime, now: datetime) -> int:
    with transaction.atomic(durable=True):
        old = MessageSegment.objects.filter(
            workspace=workspace, pruned_at=None, until_at__lt=before
        ).select_for_update()
        segments = list(old.order_by("number"))
        if not segments:
            return 0
        MessageSegment.objects.filter(pk__in=[one.pk for one in segments]).update(
            key_sealed=None, pruned_at=now
        )
        first, last = segments[0].number, segments[-1].number
        record(
            "messages.prune",
            workspace=workspace.uuid,
            actor=SWEEP,
            obj=Obj("segment", f"seg_{first}"),
            now=now,
            diff={"first": (first, None), "last": (last, None), "segments": (len(segments), 0)},
            why="The time for which evidence is kept is over.",
        )
    for segment in segments:
        path_of(workspace, segment).unlink(missing_ok=True)
    return len(segments)


def remove_strays(now: datetime) -> int:
    """Remove files that no row names: a pass or a pruning was killed; return how many."""
    total = 0
    with scope_everywhere("files of all workspaces are looked through"):
        for workspace in Workspace.objects.order_by("pk"):
            kept = MessageSegment.objects.filter(workspace=workspace, pruned_at=None)
            names = set(kept.values_list("file_name", flat=True))
            strays = [path for path in _files(workspace) if path.name not in names]
            total += sum(_remove(path, now) for path in strays)
    return total


def _files(workspace: Workspace) -> Sequence[Path]:
    return list(_below(segments_folder() / str(workspace.uuid)))


def _below(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from folder.iterdir()


def _remove(path: Path, now: datetime) -> bool:
    with suppress(FileNotFoundError):
        if path.stat().st_mtime < (now - STRAY_AFTER).timestamp():
            path.unlink()
            return True
    return False

"""The files of sealed segments: where they lie, which lines a message has, how one is proved."""

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from audit.rules.hashes import leaf_hash
from audit.rules.segments import Paths
from campaigns.models import MessageSegment
from campaigns.rules.outcome_lines import place_of
from workspaces.models import Workspace


class SegmentDamaged(RuntimeError):
    """A file is not there, or is not the one that was sealed; the sentence is for people."""


@dataclass(frozen=True)
class Line:
    """Line `n` (from 1) of a segment, without its line feed."""

    n: int
    data: bytes


def segments_folder() -> Path:
    """Return the folder of all workspaces' segments."""
    return Path(settings.DATA_DIR) / "segments"


def path_of(workspace: Workspace, segment: MessageSegment) -> Path:
    """Return where a segment's file lies."""
    return segments_folder() / str(workspace.uuid) / segment.file_name


def lines_of(path: Path, campaign_id: int, position: int) -> list[Line]:
    """Return the lines of one message, found by bisecting the file; raise SegmentDamaged."""
    try:
        with path.open("rb") as file, _mapped(file.fileno()) as data:
            return _lines_at(data, (campaign_id, position))
    except OSError as missing:
        raise SegmentDamaged(f"{path.name}: {missing.strerror}.") from missing
    except (ValueError, KeyError, TypeError) as broken:
        raise SegmentDamaged(f"{path.name} is not a segment of this version.") from broken


def _mapped(descriptor: int) -> mmap.mmap:
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)


def _lines_at(data: mmap.mmap, wanted: tuple[int, int]) -> list[Line]:
    low, high = 0, len(data)
    while low < high:
        start = data.rfind(b"\n", 0, (low + high) // 2) + 1
        end = data.find(b"\n", start)
        if place_of(data[start:end])[:2] < wanted:
            low = end + 1
        else:
            high = start
    found = []
    while low < len(data):
        end = data.find(b"\n", low)
        line = data[low:end]
        place = place_of(line)
        if place[:2] != wanted:
            break
        found.append(Line(place.n, line))
        low = end + 1
    return found


def paths_of(path: Path, segment: MessageSegment, lines: Sequence[int]) -> Mapping[int, list[str]]:
    """Return line number -> its path to the segment's root, in hex.

    The whole file is hashed, a second for each half million lines: what is not exactly what was
    sealed raises SegmentDamaged.
    """
    paths = Paths(n - 1 for n in lines)
    try:
        with path.open("rb") as file:
            for line in file:
                paths.append(leaf_hash(line.removesuffix(b"\n")))
        root, found = paths.finish()
    except OSError as missing:
        raise SegmentDamaged(f"{path.name}: {missing.strerror}.") from missing
    except IndexError as short:
        raise SegmentDamaged(f"{path.name} was cut short.") from short
    if root != bytes(segment.root) or paths.size != segment.line_count:
        raise SegmentDamaged(f"{path.name} is not the file that was sealed.")
    return {index + 1: [step.hex() for step in steps] for index, steps in found.items()}

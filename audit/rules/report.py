"""What the report of a bundle tells people. It is a rendering: the entries count, not the report.

Everything here is text that was made visible already; the two writers only lay it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

NO_APPROVALS = "No sender name and no campaign was worked on in this period."


@dataclass(frozen=True)
class Seen:
    """Who outside saw the checkpoint of an epoch, and when."""

    anchor: str
    kind: str
    epoch: int
    at: str


@dataclass(frozen=True)
class Line:
    """An entry in words. `seq` is its number in entries.jsonl.gz."""

    seq: int
    at: str
    who: str
    what: str
    about: str
    why: str
    details: str
    is_refused: bool = False


@dataclass(frozen=True)
class Counted:
    """An operation and how often it stands here: done, refused, failed."""

    op: str
    did: str
    ok: int
    denied: int
    failed: int


@dataclass(frozen=True)
class Shown:
    """What was proposed or approved.

    `digest` is the SHA-256 of `file` in the bundle, which says `exact`; all three may be empty.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    digest: str = ""
    file: str = ""
    exact: str = ""


@dataclass(frozen=True)
class Approvals:
    """The chain of approval of a sender name or a campaign."""

    kind: str
    id: str
    title: str
    steps: Sequence[Line]
    versions: Sequence[Shown]
    verdict: str


@dataclass(frozen=True)
class Table:
    """A titled list; `note` stands below the title, `empty` in place of no rows."""

    title: str
    note: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str


@dataclass(frozen=True)
class Report:
    """The whole report."""

    title: str
    facts: Sequence[tuple[str, str]]
    statement: Sequence[str]
    counts: Sequence[Counted]
    approvals: Sequence[Approvals]
    tables: Sequence[Table]
    entries: Sequence[Line]
    entries_note: str
    cut: Sequence[str] = field(default_factory=tuple)


RENDERING = (
    "This report is a rendering for people. If it differs from entries.jsonl.gz, the latter counts."
    " Characters that hide or turn other text are shown as escapes such as \\u202e."
)
PROVES_NOT = (
    "No evidence shows that everything that happened was recorded, that what was recorded is true,"
    " or that a time that a host claimed is right. “Recorded” is when an entry was numbered."
)
NAMES = (
    "Names of people, campaigns and lists are those of the day of this export. The log itself names"
    " them by the ids beside them. Who acted for the operator is named in a masked bundle too:"
    " masked is what entries commit to."
)

"""The tables of a report: what was erased, what went wrong, who saw what."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.actions.exporting.report_lines import Names, in_words
from audit.queries.export_facts import Step
from audit.rules.bundle_lines import Passed
from audit.rules.report import Seen, Table
from audit.rules.shown import visible


@dataclass(frozen=True)
class Gap:
    """A time in which no epoch was fixed; stamps."""

    before: str
    after: str
    seconds: int


def erasures(steps: Sequence[Step], known: Names) -> Table:
    """Return what was erased, and what was only tried."""
    rows = []
    for step in steps:
        line = in_words(step, known)
        named = ", ".join(f"entry {one.get('seq')}: {one.get('field')}" for one in step.erased)
        which = visible(named) or line.details or line.about
        rows.append((str(line.seq), line.at, line.who, line.what, which, line.why))
    return Table(
        "Erasures",
        "A personal value that was erased is gone from this log; what stays is a commitment that"
        " nobody can turn back. Where else it stood says the entry that erased a subscriber's"
        " number. A value of this period that was erased after it is missing here, and the entry"
        " that says so stands in later evidence.",
        ("Entry", "Recorded", "Who", "What", "Of which", "Legal basis"),
        rows,
        "No erasing is recorded in this period.",
    )


def incidents(steps: Sequence[Step], known: Names) -> Table:
    """Return what befell the log, in this chain and in the system's."""
    return Table(
        "Outages, gaps and clocks",
        "Times in which the log was written late or could not be written, and what befell its"
        " clock, its keys and its checkpoints. The system's chain is in system-entries.jsonl.gz;"
        " a verification of the whole log stands there as a hash.",
        _WHERE_AND_WHAT,
        [_where_and_what(step, known) for step in steps if not _is_in_order(step)],
        "None is recorded in this period.",
    )


def outside(steps: Sequence[Step], known: Names) -> Table:
    """Return what was changed with the database's own tools."""
    return Table(
        "Changes around the product",
        "Rows that somebody with the database changed and that no action of the product accounts"
        " for. Nobody approved them. A table that was emptied as a whole stands in the system's"
        " chain, there as a hash.",
        _WHERE_AND_WHAT,
        [_where_and_what(step, known) for step in steps],
        "None is recorded in this period.",
    )


_WHERE_AND_WHAT = ("Chain", "Entry", "Recorded", "What", "About", "Details", "Note")


def _where_and_what(step: Step, known: Names) -> tuple[str, ...]:
    line = in_words(step, known)
    details = _codes(step) if step.op == _VERIFY else line.details
    chain = "system" if step.is_of_system else "workspace"
    return (chain, str(line.seq), line.at, line.what, line.about, details, line.why)


_VERIFY = "audit.verify"


def _is_in_order(step: Step) -> bool:
    return step.op == _VERIFY and step.result == "ok"


def _codes(step: Step) -> str:
    """Return the codes that a verification found; its sentences may name other workspaces."""
    found = step.diff.get("findings", ())
    said = found[1] if len(found) == 2 and isinstance(found[1], list) else []
    return visible(", ".join(sorted({str(one).partition(":")[0] for one in said})))


def gaps(gaps: Sequence[Gap]) -> Table:
    """Return when no epoch was fixed for long."""
    return Table(
        "Silence between epochs",
        "Epochs come at least hourly; a gap above two hours means that the log stood still.",
        ("After", "Until", "Seconds"),
        [(gap.before, gap.after, f"{gap.seconds:,}") for gap in gaps],
        "None above two hours.",
    )


def late(passed: Passed) -> Table:
    """Return the entries that were numbered long after their time."""
    rows = [
        (str(one.seq), one.claimed, one.at, "from a fallback file" if one.is_ingested else "")
        for one in passed.late
    ]
    return Table(
        "Late entries",
        f"{passed.late_count:,} entries whose claimed and recorded time differ by more than 300 s.",
        ("Entry", "Claimed", "Recorded", "How"),
        rows,
        "None.",
    )


def seen(seen: Sequence[Seen]) -> Table:
    """Return who outside saw which checkpoint."""
    return Table(
        "Who outside saw the checkpoints",
        "Receipts in anchors/. Their signatures are not checked here; a verifier checks them.",
        ("Epoch", "Who", "Kind", "When"),
        [(str(one.epoch), visible(one.anchor), one.kind, one.at) for one in seen],
        "Nobody, in this period.",
    )

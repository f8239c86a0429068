"""The report of a bundle, put together from its entries and the names that are known today."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.queries import names
from audit.queries.export_facts import MOST_STEPS, Count, Step
from audit.queries.export_outside import PublishedKey
from audit.queries.subjects import Subject
from audit.rules.bundle import Span
from audit.rules.bundle_lines import Passed
from audit.rules.operations import OPERATIONS
from audit.rules.report import (
    NAMES,
    PROVES_NOT,
    RENDERING,
    Approvals,
    Counted,
    Line,
    Report,
    Seen,
    Shown,
    Table,
)
from audit.rules.shown import visible

Names = Mapping[tuple[str, str], str]
APPROVE = "campaign.approve"


@dataclass(frozen=True)
class Gap:
    """A time in which no epoch was fixed; stamps."""

    before: str
    after: str
    seconds: int


@dataclass(frozen=True)
class Found:
    """What was found while the bundle was written."""

    span: Span
    passed: Passed
    counts: Sequence[Count]
    newest: Sequence[Step]
    approvals: Sequence[Step]
    subjects: Sequence[Subject]
    erasures: Sequence[Step]
    incidents: Sequence[Step]
    gaps: Sequence[Gap]
    seen: Sequence[Seen]
    keys: Sequence[PublishedKey]
    export_key: str
    missing: Sequence[str]


@dataclass(frozen=True)
class Cover:
    """What stands on the first page besides: whose evidence, why and for whom it was made."""

    name: str
    reason: str
    asked_by: str
    decided_by: str
    made_at: datetime
    shows_values: bool


def tell(found: Found, cover: Cover) -> Report:
    """Return the report."""
    known = _names([*found.newest, *found.approvals, *found.erasures, *found.incidents])
    approvals = _approvals(found, known)
    return Report(
        title=visible(f"Evidence of {cover.name}"),
        facts=_facts(found, cover),
        statement=(RENDERING, _level(found), PROVES_NOT, NAMES),
        counts=_counted(found.counts),
        approvals=approvals,
        tables=(
            _erasures(found.erasures, known),
            _incidents(found.incidents, known),
            _gaps(found.gaps),
            _late(found.passed),
            _seen(found.seen),
        ),
        entries=[_line(step, known) for step in found.newest],
        entries_note=(
            f"The last {len(found.newest):,} of {found.span.entry_count:,} entries. All of them are"
            " in entries.jsonl.gz, and for spreadsheets in tables/."
        ),
        cut=_cuts(found),
    )


def _facts(found: Found, cover: Cover) -> list[tuple[str, str]]:
    span = found.span
    asked = [f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "" for at in (span.since, span.until)]
    facts = [
        ("Workspace", f"{cover.name} ({span.chain.ws}), chain {span.chain.slot}"),
        ("Log", span.origin),
        ("Period asked for", f"{asked[0] or 'the beginning'} to {asked[1] or 'this export'}"),
        ("Entries", _numbers(span)),
        ("Recorded", f"{found.passed.first_at.decode()} to {found.passed.at.decode()}"),
        ("Checkpoints", f"{span.last_epoch + 1:,} epochs; the last of {span.ends_at}"),
        ("Shown as hashes only", f"{found.passed.hidden_count:,} entries"),
        ("Personal values", _values(cover)),
        ("Reason of this export", cover.reason),
        ("Asked for by", cover.asked_by),
        ("Released by", cover.decided_by),
        ("Made", f"{cover.made_at:%Y-%m-%d %H:%M:%S} UTC"),
        *((f"Log key from epoch {key.first_epoch}", key.key) for key in found.keys),
        ("Export key", found.export_key),
    ]
    return [(name, visible(value)) for name, value in facts if value.strip() not in {"", "to"}]


def _numbers(span: Span) -> str:
    if not span.entry_count:
        return "none in this period"
    return f"{span.entry_count:,}, numbers {span.first_seq:,} to {span.last_seq:,}"


def _values(cover: Cover) -> str:
    if cover.shows_values:
        return "disclosed in disclosures.jsonl, but for those that were erased"
    return "masked: the entries hold commitments, the values are not in this bundle"


def _level(found: Found) -> str:
    return (
        "By itself this bundle shows that the log is whole and signed (level A), which says nothing"
        " against the operator, who has the keys. With a checkpoint that you kept from earlier it"
        f" shows more (level B), and with what others saw most (level C): {len(found.seen)}"
        " receipts of others for checkpoints of this period are in anchors/ and checkpoints/."
        " Follow verify/VERIFY.txt."
    )


def _counted(counts: Iterable[Count]) -> list[Counted]:
    of_op: dict[str, dict[str, int]] = defaultdict(dict)
    for one in counts:
        of_op[one.op][one.result] = one.count
    return [
        Counted(
            visible(op),
            OPERATIONS[op].did if op in OPERATIONS else visible(op),
            results.get("ok", 0),
            results.get("denied", 0),
            results.get("failed", 0),
        )
        for op, results in sorted(of_op.items())
    ]


def _approvals(found: Found, known: Names) -> list[Approvals]:
    """Return a chain of approval for each sender name and campaign, senders first."""
    of_id: dict[str, list[Step]] = defaultdict(list)
    for step in found.approvals:
        of_id[step.obj.id].append(step)
    chains = []
    for subject in found.subjects:
        own = sorted((step for one in subject.ids for step in of_id.pop(one, ())), key=_number)
        chains.append(_chain(subject, own, known))
    # What nobody knows any more: its entries still say who did what.
    for one, own in of_id.items():
        unknown = Subject(own[0].obj.type, one, known.get((own[0].obj.type, one), one), (one,), ())
        chains.append(_chain(unknown, own, known))
    return chains


def exact_file(subject: Subject) -> str:
    """Return where a bundle keeps the exact text that a campaign's digest is of."""
    return f"tables/approved/{subject.id}.json"


def _number(step: Step) -> int:
    return step.seq


def _chain(subject: Subject, steps: Sequence[Step], known: Names) -> Approvals:
    return Approvals(
        kind=subject.kind,
        id=subject.id,
        title=visible(subject.title),
        steps=[_line(step, known) for step in steps],
        versions=[
            Shown(
                visible(one.title),
                [(name, visible(value)) for name, value in one.facts],
                one.digest,
                exact_file(subject) if one.digest else "",
                visible(one.exact),
            )
            for one in subject.versions
        ],
        verdict=_verdict(subject, steps),
    )


def _verdict(subject: Subject, steps: Sequence[Step]) -> str:
    """Say in a sentence whether what is shown is what was approved."""
    approved = [step for step in steps if step.op.endswith(".approve") and step.result == "ok"]
    if not approved:
        return "Not approved within this period."
    last = approved[-1]
    digest = _after(last.diff, "digest")
    if last.op != APPROVE or not digest:
        return f"Approved in entry {last.seq}."
    if any(version.digest == digest for version in subject.versions):
        return (
            f"Approved in entry {last.seq}, by a digest. What is shown below has that digest: it"
            " is what was approved."
        )
    return (
        f"Approved in entry {last.seq}, by the digest {digest}. What is shown below has another"
        " one: it was changed after that approval, which is void for it."
    )


def _line(step: Step, known: Names) -> Line:
    said = OPERATIONS.get(step.op)
    is_refused = step.result != "ok"
    what = step.op if said is None else (said.tried if is_refused else said.did)
    name = known.get((step.obj.type, step.obj.id), "")
    return Line(
        seq=step.seq,
        at=f"{step.at:%Y-%m-%d %H:%M:%S} UTC",
        who=_who(step, known),
        what=visible(what),
        about=visible(f"{name} ({step.obj.id})" if name else f"{step.obj.type} {step.obj.id}"),
        why=visible(step.why),
        details=visible("; ".join(f"{field}: {_sides(s)}" for field, s in step.diff.items())),
        is_refused=is_refused,
    )


def _who(step: Step, known: Names) -> str:
    actor = step.actor
    if actor.kind == "system":
        return visible(f"System ({actor.id})")
    name = known.get((actor.kind, actor.id), "")
    return visible(f"{name} ({actor.id})" if name else actor.id)


def _sides(sides: Sequence[Any]) -> str:
    old, new = (*sides, None, None)[:2]
    return _side(new) if old is None else f"{_side(old)} → {_side(new)}"


def _side(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _after(diff: Mapping[str, Sequence[Any]], field: str) -> str:
    sides = diff.get(field, ())
    return str(sides[1]) if len(sides) == 2 and sides[1] else ""


def _names(steps: Iterable[Step]) -> Names:
    ids: dict[str, set[str]] = defaultdict(set)
    for step in steps:
        ids[step.actor.kind].add(step.actor.id)
        ids[step.obj.type].add(step.obj.id)
    return {(kind, one): name for kind in ids for one, name in names.names(kind, ids[kind]).items()}


def _erasures(steps: Sequence[Step], known: Names) -> Table:
    rows = []
    for step in steps:
        line = _line(step, known)
        named = ", ".join(f"entry {one.get('seq')}: {one.get('field')}" for one in step.erased)
        rows.append((str(line.seq), line.at, line.who, visible(named) or line.details, line.why))
    return Table(
        "Erasures",
        "A personal value that was erased is gone everywhere; what stays is a commitment that"
        " nobody can turn back.",
        ("Entry", "Recorded", "Who", "What was erased", "Legal basis"),
        rows,
        "Nothing was erased in this period.",
    )


def _incidents(steps: Sequence[Step], known: Names) -> Table:
    lines = [_line(step, known) for step in steps]
    return Table(
        "Outages, gaps and clocks",
        "Times in which the log was written late, or could not be written.",
        ("Entry", "Recorded", "What", "Details", "Note"),
        [(str(one.seq), one.at, one.what, one.details, one.why) for one in lines],
        "None is recorded in this period.",
    )


def _gaps(gaps: Sequence[Gap]) -> Table:
    return Table(
        "Silence between epochs",
        "Epochs come at least hourly; a gap above two hours means that the log stood still.",
        ("After", "Until", "Seconds"),
        [(gap.before, gap.after, f"{gap.seconds:,}") for gap in gaps],
        "None above two hours.",
    )


def _late(passed: Passed) -> Table:
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


def _seen(seen: Sequence[Seen]) -> Table:
    return Table(
        "Who outside saw the checkpoints",
        "Receipts in anchors/. Their signatures are not checked here; a verifier checks them.",
        ("Epoch", "Who", "Kind", "When"),
        [(str(one.epoch), visible(one.anchor), one.kind, one.at) for one in seen],
        "Nobody, in this period.",
    )


def _cuts(found: Found) -> list[str]:
    """Say what this rendering leaves out."""
    cuts = list(found.missing)
    if len(found.approvals) == MOST_STEPS:
        cuts.append(
            f"Of the steps of approvals the last {MOST_STEPS:,} are shown; all of them are in"
            " entries.jsonl.gz and tables/entries.csv."
        )
    return cuts

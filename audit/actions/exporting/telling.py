"""The report of a bundle, put together from its entries and the names that are known today."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.actions.exporting import report_tables as tables
from audit.actions.exporting.report_lines import Names, after, in_words, names_of
from audit.actions.exporting.report_tables import Gap
from audit.queries.export_facts import MANY, MOST_STEPS, Step
from audit.queries.export_outside import PublishedKey
from audit.queries.subjects import Subject
from audit.rules.bundle import Span
from audit.rules.bundle_lines import Passed
from audit.rules.entry_table import Count
from audit.rules.operations import OPERATIONS, OUTSIDE
from audit.rules.report import (
    NAMES,
    PROVES_NOT,
    RENDERING,
    Approvals,
    Counted,
    Report,
    Seen,
    Shown,
)
from audit.rules.shown import visible

APPROVE = "campaign.approve"
# What came around the product, by the kind of what is approved.
OF_KIND = {"campaign": "approval.changed_outside", "sender": "sender.changed_outside"}


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
    outside: Sequence[Step]
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
    told = (found.newest, found.approvals, found.erasures, found.incidents, found.outside)
    known = names_of(step for steps in told for step in steps)
    approvals = _approvals(found, known)
    return Report(
        title=visible(f"Evidence of {cover.name}"),
        facts=_facts(found, cover),
        statement=(RENDERING, _level(found), PROVES_NOT, NAMES),
        counts=_counted(found.counts),
        approvals=approvals,
        tables=(
            tables.erasures(found.erasures, known),
            tables.incidents(found.incidents, known),
            tables.outside(found.outside, known),
            tables.gaps(found.gaps),
            tables.late(found.passed),
            tables.seen(found.seen),
        ),
        entries=[in_words(step, known) for step in found.newest],
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
    # Where many rows were changed at once, their entry names none of them.
    many = [one for one in found.outside if one.obj.id.endswith(MANY)]
    chains = []
    for subject in found.subjects:
        own = sorted((step for one in subject.ids for step in of_id.pop(one, ())), key=_number)
        chains.append(_chain(subject, own, known, many))
    # What nobody knows any more: its entries still say who did what.
    for one, own in of_id.items():
        unknown = Subject(own[0].obj.type, one, known.get((own[0].obj.type, one), one), (one,), ())
        chains.append(_chain(unknown, own, known, ()))
    return chains


def exact_file(subject: Subject) -> str:
    """Return where a bundle keeps the exact text that a campaign's digest is of."""
    return f"tables/approved/{subject.id}.json"


def _number(step: Step) -> int:
    return step.seq


def _chain(
    subject: Subject, steps: Sequence[Step], known: Names, many: Sequence[Step]
) -> Approvals:
    return Approvals(
        kind=subject.kind,
        id=subject.id,
        title=visible(subject.title),
        steps=[in_words(step, known) for step in steps],
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
        verdict=_verdict(subject, steps, many),
    )


def _verdict(subject: Subject, steps: Sequence[Step], many: Sequence[Step]) -> str:
    """Say in a sentence whether what is shown is what was approved."""
    approved = [step for step in steps if step.op.endswith(".approve") and step.result == "ok"]
    if not approved:
        verdict = "Not approved within this period."
    else:
        verdict = _approval(subject, approved[-1])
    around = [step for step in steps if step.op.endswith(OUTSIDE)]
    around += [step for step in many if step.op == OF_KIND.get(subject.kind)]
    if around:
        named = ", ".join(dict.fromkeys(_place(step) for step in around))
        verdict += (
            f" But it was changed around the product, which nobody approved ({named}): what stands"
            " there now may be another thing than what was decided."
        )
    return verdict


def _place(step: Step) -> str:
    return f"entry {step.seq}{' of the system chain' if step.is_of_system else ''}"


def _approval(subject: Subject, last: Step) -> str:
    digest = after(last.diff, "digest")
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


def _cuts(found: Found) -> list[str]:
    """Say what this rendering leaves out."""
    cuts = list(found.missing)
    if len(found.approvals) == MOST_STEPS:
        cuts.append(
            f"Of the steps of approvals the last {MOST_STEPS:,} are shown; all of them are in"
            " entries.jsonl.gz and tables/entries.csv."
        )
    return cuts

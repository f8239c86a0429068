"""Entries in words, with the names that are known today."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.queries import names
from audit.queries.export_facts import Step
from audit.rules.operations import OPERATIONS
from audit.rules.report import Line
from audit.rules.shown import visible

Names = Mapping[tuple[str, str], str]


def in_words(step: Step, known: Names) -> Line:
    """Return an entry as the report tells it."""
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


def after(diff: Mapping[str, Sequence[Any]], field: str) -> str:
    """Return what a field became, or nothing."""
    sides = diff.get(field, ())
    return str(sides[1]) if len(sides) == 2 and sides[1] else ""


def names_of(steps: Iterable[Step]) -> Names:
    """Return the names of the people and things of these entries."""
    ids: dict[str, set[str]] = defaultdict(set)
    for step in steps:
        ids[step.actor.kind].add(step.actor.id)
        ids[step.obj.type].add(step.obj.id)
    return {
        (kind, one): name
        for kind in ids
        for one, name in names.names_to_give(kind, ids[kind]).items()
    }

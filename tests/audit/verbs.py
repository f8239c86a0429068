"""Reads the product's verbs as text: which functions change something, and which of them record.

Nothing is run. A function reaches another one that it names, in its module or by an import, and so
on; methods are reached through `self`.
"""

import ast
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("workspaces/actions", "smpp_client/actions", "campaigns/actions", "audit/actions")
RECORDS = "audit.actions.append:append_event"
# The entry that an attempt was refused, or failed, says nothing of what a verb did.
NOT_DONE = frozenset(f"audit.actions.record:{name}" for name in ("record_denied", "record_outage"))
WRITES = frozenset(
    {"create", "update", "delete", "save", "bulk_create", "bulk_update", "get_or_create",
     "update_or_create", "execute", "copy", "atomic"}
)  # fmt: skip


@dataclass
class Function:
    """A function or method: `module:name` or `module:Class.name`."""

    name: str
    reaches: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)

    @property
    def is_public(self) -> bool:
        return not any(part.startswith("_") for part in self.name.partition(":")[2].split("."))


@cache
def functions() -> Mapping[str, Function]:
    """Return every function of the verbs' rooms by its name."""
    found: dict[str, Function] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found.update({one.name: one for one in _read(module, path)})
    return found


def _read(module: str, path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            known[node.name] = f"{module}:{node.name}"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield _function(f"{module}:{node.name}", node, known)
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    name = f"{module}:{node.name}.{inner.name}"
                    yield _function(name, inner, known, owner=f"{module}:{node.name}")


def _function(
    name: str, tree: ast.FunctionDef, known: Mapping[str, str], owner: str = ""
) -> Function:
    one = Function(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in known:
            one.reaches.add(known[node.id])
        if isinstance(node, ast.Attribute):
            one.methods.add(node.attr)
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                one.reaches.add(f"{owner}.{node.attr}")
            elif isinstance(node.value, ast.Name) and node.value.id in known:
                # A module that was imported: `sending.start`, or a class and its method.
                place = known[node.value.id]
                one.reaches |= {f"{place.replace(':', '.')}:{node.attr}", f"{place}.{node.attr}"}
    return one


def reached(name: str, without: Set[str] = frozenset()) -> set[str]:
    """Return everything that a function reaches, itself included; nothing by way of `without`."""
    seen, waiting = set(without), [name]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if one in functions():
            waiting += functions()[one].reaches
    return seen - without


def records(name: str, without: Set[str] = frozenset()) -> bool:
    """Say whether a function records what it did: it reaches the one call by which an event enters
    the log otherwise than to say that something was refused.
    """
    return RECORDS in reached(name, without | NOT_DONE)


def writes(name: str) -> bool:
    """Say whether a function reaches anything that may change a row."""
    return any(functions()[one].methods & WRITES for one in reached(name) if one in functions())


def verbs() -> list[str]:
    """Return every public function of the rooms that may change a row."""
    return sorted(name for name, one in functions().items() if one.is_public and writes(name))

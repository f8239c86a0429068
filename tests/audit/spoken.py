"""Reads from the product's text what its calls of record say: operation, object, fields.

Only what stands there as a literal is read; what is computed, the dictionary says by hand.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from audit.rules.operations import OPERATIONS
from tests.audit.verbs import ROOT

APPS = ("workspaces", "smpp_client", "campaigns", "audit")
# Functions that return an object of the log, and its type.
OBJECTS = {
    "campaign_obj": "campaign",
    "list_obj": "list",
    "connection_obj": "connection",
    "route_obj": "route",
    "opt_out_obj": "opt_out",
    "revision_obj": "sender_revision",
    "records_obj": "call_records",
    "reply_obj": "inbound_message",
}


class Said(NamedTuple):
    """A call that records: `place` is file and line."""

    place: str
    op: str
    objects: frozenset[str]
    diff: frozenset[str]
    personal: frozenset[str]


def said() -> Iterator[Said]:
    """Yield every call that names a published operation as a literal."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield from _read(node, f"{name}:{node.lineno}")


def _read(call: ast.Call, place: str) -> Iterator[Said]:
    named = {one.arg: one.value for one in call.keywords if one.arg}
    words = [one.value for one in [*call.args, named.get("op")] if isinstance(one, ast.Constant)]
    ops = [word for word in words if isinstance(word, str) and word in OPERATIONS]
    if ops:
        parts = [*call.args, *named.values()]
        yield Said(
            place,
            ops[0],
            frozenset(kind for part in parts if (kind := _kind(part))),
            _keys(named.get("diff")),
            _keys(named.get("personal")),
        )


def _kind(part: ast.expr) -> str:
    """Return the type of an object that is made in the call; "" for anything else."""
    if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Name):
        return ""
    if part.func.id == "Obj" and isinstance(part.args[0], ast.Constant):
        return str(part.args[0].value)
    return OBJECTS.get(part.func.id, "")


def _keys(part: ast.expr | None) -> frozenset[str]:
    if not isinstance(part, ast.Dict):
        return frozenset()
    keys = (key.value for key in part.keys if isinstance(key, ast.Constant))
    return frozenset(str(key) for key in keys)

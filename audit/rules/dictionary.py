"""The dictionary as it is published: for people as docs/OPERATIONS.md, for machines as JSON.

A word is never removed and never means something else; new ones are added. The edition is the
digest of the whole, so that two readers know whether they read the same one.
"""

import hashlib
from collections.abc import Mapping

from audit.rules.canonical import Json, encode
from audit.rules.fields import EVERY_COLUMN, FIELDS, Fields
from audit.rules.operations import OPERATIONS, is_privileged

VERSION = 1

_HEAD = """\
# Operations and their fields, version {version}

The words that entries of the audit log use; [FORMAT.md](FORMAT.md) says what an entry is.
Edition `{edition}`: the first 16 digits of the SHA-256 of the same in canonical JSON, which
`manage.py audit_operations --json` prints and a bundle holds as `schema/ops.json`. This page is
written by `manage.py audit_operations`; a test compares it.

Words are added, never removed, and never mean something else. `res` of an entry says whether it was
done (`ok`), refused (`denied`) or failed (`failed`); the second sentence is for the latter two.
*Changes* are the fields of `diff`, *personal* those of `pd`. After an operation with *yes* in the
last column an epoch follows at once.

| operation | done | not done | about | changes | personal | epoch |
|---|---|---|---|---|---|---|
"""
_TAIL = """
"any column" stands for the columns of what was changed, by their names in the form or the table.
Of columns with numbers, passwords and signatures the log says that they changed, never a value.
An operation that ends with `.changed_outside` came around every verb of the product: triggers of
the database recorded it, with the login and the program.
"""


def dictionary() -> dict[str, Json]:
    """Return the dictionary as JSON: {"v", "operations": {op: {"did", "tried", ...}}}."""
    return {"v": VERSION, "operations": {op: _said(op) for op in sorted(OPERATIONS)}}


def edition() -> str:
    """Return the first 16 digits of the digest of the dictionary."""
    return hashlib.sha256(encode(dictionary())).hexdigest()[:16]


def page() -> str:
    """Return docs/OPERATIONS.md."""
    head = _HEAD.format(version=VERSION, edition=edition())
    return head + "".join(f"{_line(op)}\n" for op in sorted(OPERATIONS)) + _TAIL


def _said(op: str) -> dict[str, Json]:
    fields = FIELDS.get(op, Fields())
    return {
        "did": OPERATIONS[op].did,
        "tried": OPERATIONS[op].tried,
        "object": sorted(fields.objects),
        "diff": sorted(fields.diff),
        "pd": sorted(fields.personal),
        "epoch": is_privileged(op),
    }


def _line(op: str) -> str:
    fields, said = FIELDS.get(op, Fields()), OPERATIONS[op]
    cells = [
        f"`{op}`",
        said.did,
        said.tried,
        ", ".join(sorted(fields.objects)),
        ", ".join(
            "any column" if one == EVERY_COLUMN else f"`{one}`" for one in sorted(fields.diff)
        ),
        ", ".join(f"`{one}`" for one in sorted(fields.personal)),
        "yes" if is_privileged(op) else "",
    ]
    return f"| {' | '.join(cells)} |"


def unpublished(
    op: str, obj_type: str, diff: Mapping[str, object], personal: Mapping[str, str]
) -> str:
    """Return what of an event the dictionary does not say, in words; "" when it says all of it."""
    fields = FIELDS.get(op, Fields())
    if obj_type not in fields.objects:
        return f"{op} is recorded about a {obj_type}"
    strange = set() if EVERY_COLUMN in fields.diff else set(diff) - fields.diff
    strange |= {f"pd.{one}" for one in set(personal) - fields.personal}
    return f"{op} is recorded with {', '.join(sorted(strange))}" if strange else ""

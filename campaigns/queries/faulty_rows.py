"""Faulty rows of lists that hold a subscriber's number: two in a cell, or a row that broke."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from campaigns.models import RecipientFault
from campaigns.rules.intake import row_context
from workspaces.models import Workspace
from workspaces.queries.keys import keys
from workspaces.rules.sealing import SealBroken

_AT_ONCE = 2_000
_NO_DIGIT = re.compile(r"\D")
# In a cell the number may stand without its country's code.
_OWN_DIGITS = 9


@dataclass(frozen=True)
class FaultyRow:
    """A faulty row that holds the number: its own id, and its list's."""

    pk: int
    list_id: int


def faulty_rows_with(workspace: Workspace, number: str) -> list[FaultyRow]:
    """Return the faulty rows of a workspace in which a number (digits) stands.

    They have no fingerprint: each is opened, some 100,000 a second. Where the last digits of two
    people are the same, a row of the other one is among them.
    """
    return [
        FaultyRow(pk, list_id) for pk, list_id, cells in _opened(workspace) if _has(cells, number)
    ]


def _opened(workspace: Workspace) -> Iterator[tuple[int, int, list[str]]]:
    seal = keys()
    rows = RecipientFault.objects.filter(workspace_id=workspace.pk).order_by("pk")
    after = 0
    while batch := list(rows.filter(pk__gt=after)[:_AT_ONCE]):
        for row in batch:
            try:
                text = seal.open(bytes(row.row_sealed), row_context(row.recipient_list_id))
            except SealBroken:
                continue
            yield row.pk, row.recipient_list_id, json.loads(text)
        after = batch[-1].pk


def _has(cells: list[str], number: str) -> bool:
    return any(number[-_OWN_DIGITS:] in _NO_DIGIT.sub("", cell) for cell in cells)

"""Questions about recipient lists: for their pages, for the wizard, for the importer."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import ListState, Recipient, RecipientFault, RecipientList
from campaigns.rules.faults import FAULTS, Fault
from campaigns.rules.intake import row_context
from campaigns.rules.numbers import mask, normalise
from workspaces.models import Workspace
from workspaces.queries.keys import keys

PAGE = 50
SHOWN_FAULTS = 20
SHOWN_COLUMNS = 6
FAULT_BATCH = 2_000

OPTED_OUT = """
SELECT count(*) FROM opt_out o
JOIN recipient r ON r.recipient_list_id = %s AND r.fingerprint = o.fingerprint
WHERE o.workspace_id = %s AND o.lifted_at IS NULL
"""


@dataclass(frozen=True)
class Page:
    """Lists of one page, and where the next, older one begins (0: there is none)."""

    lists: Sequence[RecipientList]
    before: int

    @property
    def is_moving(self) -> bool:
        """Whether something here changes by itself."""
        return any(lst.state == ListState.IMPORTING for lst in self.lists)


@dataclass(frozen=True)
class Step:
    """A bar of the waterfall: how many are left, and how many this step took away."""

    label: str
    count: int
    taken: int = 0
    taken_label: str = ""


@dataclass(frozen=True)
class ShownCell:
    """A cell of a faulty row; numbers that exist are masked. `fault` says what is wrong in it."""

    title: str
    text: str
    fault: str = ""


@dataclass(frozen=True)
class ShownFault:
    """A row that is not sent to, as the page shows it."""

    row_number: int
    cells: Sequence[ShownCell]


@dataclass(frozen=True)
class SampleRow:
    """A recipient as people may see him."""

    row_number: int
    number: str
    values: dict[str, str]


def page_of_lists(workspace: Workspace, *, is_archived: bool, before: int = 0) -> Page:
    """Return a page of lists, newest first, those with a smaller id than `before`."""
    rows = RecipientList.objects.filter(
        workspace=workspace, is_internal=False, is_archived=is_archived
    ).select_related("uploaded_by")
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    return Page(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else 0)


def list_counts(workspace: Workspace) -> tuple[int, int]:
    """Return how many lists are in use and how many are archived."""
    rows = RecipientList.objects.filter(workspace=workspace, is_internal=False)
    return rows.filter(is_archived=False).count(), rows.filter(is_archived=True).count()


def find_list(workspace: Workspace, list_id: int) -> RecipientList | None:
    """Return a list of this workspace, or None."""
    return (
        RecipientList.objects.select_related("workspace", "uploaded_by")
        .filter(workspace=workspace, pk=list_id, is_internal=False)
        .first()
    )


def list_anywhere(list_id: int) -> RecipientList | None:
    """Return a list whatever its workspace, for the importer."""
    return RecipientList.objects.select_related("workspace").filter(pk=list_id).first()


def lists_with_leftover_files() -> list[RecipientList]:
    """Return lists that are done and whose file is still there."""
    rows = RecipientList.objects.select_related("workspace").exclude(file_key="")
    done = rows.filter(state__in=[ListState.READY, ListState.FAILED])
    return list(done.order_by("pk")[:100])


def ready_lists(workspace: Workspace) -> list[RecipientList]:
    """Return the lists that a campaign may use, newest first."""
    return list(
        RecipientList.objects.filter(
            workspace=workspace, state=ListState.READY, is_archived=False, is_internal=False
        ).order_by("-pk")[:200]
    )


def columns_of(lst: RecipientList) -> list[str]:
    """Return the placeholder names that a text to this list may use."""
    return list(lst.columns)


def sample(lst: RecipientList, count: int) -> list[SampleRow]:
    """Return some recipients of a list, numbers masked."""
    rows = Recipient.objects.filter(workspace_id=lst.workspace_id, recipient_list=lst)
    return [
        SampleRow(row.row_number, _masked(row.number_sealed, lst), dict(row.values))
        for row in rows.order_by("pk")[:count]
    ]


def _masked(sealed: Any, lst: RecipientList) -> str:
    if sealed is None:
        return _("erased")
    return mask(keys().open_number(bytes(sealed), lst.workspace_id))


def opted_out_count(lst: RecipientList) -> int:
    """Return how many recipients of a list are opted out now."""
    with connection.cursor() as cursor:
        cursor.execute(OPTED_OUT, [lst.pk, lst.workspace_id])
        (count,) = cursor.fetchone()
    return int(count)


def waterfall(lst: RecipientList, opted_out: int | None) -> list[Step]:
    """Return the way from rows to people who can get a message now.

    The last step is left out while nobody has counted who of a long list is opted out.
    """
    valid = lst.row_count - lst.fault_count
    steps = [
        Step(_("Rows in the file"), lst.row_count),
        Step(_("Valid number"), valid, lst.fault_count, _("with a fault")),
        Step(
            _("Once only"),
            lst.valid_count,
            lst.duplicate_count,
            ngettext("duplicate", "duplicates", lst.duplicate_count),
        ),
    ]
    if opted_out is not None:
        left = lst.valid_count - opted_out
        steps.append(Step(_("Not opted out now"), left, opted_out, _("opted out")))
    return steps


def first_faults(lst: RecipientList) -> list[ShownFault]:
    """Return the first faulty rows of a list, for its page."""
    rows = _faults(lst).order_by("row_number")[:SHOWN_FAULTS]
    return [_shown(lst, fault, cells_of(lst, fault)) for fault in rows]


def shown_columns(lst: RecipientList) -> list[int]:
    """Return the columns of the file that its fault table has room for, from 0, in order."""
    taken = [lst.number_column or 0, *lst.positions]
    rest = [column for column in range(len(lst.header)) if column not in taken]
    return sorted([*taken, *rest][:SHOWN_COLUMNS])


def _shown(lst: RecipientList, fault: RecipientFault, cells: Sequence[str]) -> ShownFault:
    columns = shown_columns(lst)
    if fault.code == Fault.BROKEN_ROW:
        cells = [""] * columns[0] + [*cells]
    wrong = _faulty_column(lst, fault, cells)
    wrong = wrong if wrong in columns else columns[0]
    sentence = _(FAULTS[Fault(fault.code)])
    shown = []
    for column in columns:
        text = shown_cell(cells[column], lst.country) if column < len(cells) else ""
        shown.append(ShownCell(lst.header[column], text, sentence if column == wrong else ""))
    return ShownFault(fault.row_number, shown)


def _faulty_column(lst: RecipientList, fault: RecipientFault, cells: Sequence[str]) -> int:
    """Return the column in which the fault is: the number's, or that of the longest value."""
    number = lst.number_column or 0
    if fault.code == Fault.BROKEN_ROW:
        return shown_columns(lst)[0]
    if fault.code != Fault.LONG_VALUE:
        return number
    lengths = {at: len(cells[at]) for at in lst.positions if at < len(cells)}
    return max(lengths, key=lambda at: lengths[at], default=number)


def shown_cell(cell: str, country: str) -> str:
    """Return a cell as a page may show it: what is a number, here or abroad, is masked."""
    for where in (country, ""):
        number = normalise(cell, where)
        if number is Fault.FIXED_LINE:
            return f"{cell.strip()[:-4]}••••"
        if not isinstance(number, Fault):
            return mask(number)
    return cell if len(cell) <= 100 else f"{cell[:100]}…"


def cells_of(lst: RecipientList, fault: RecipientFault) -> list[str]:
    """Return the cells of a faulty row as they were in the file."""
    cells: list[str] = json.loads(keys().open(bytes(fault.row_sealed), row_context(lst.pk)))
    return cells


def all_faults(lst: RecipientList) -> Iterator[tuple[int, str, list[str]]]:
    """Yield row number, reason and cells of every faulty row, in the order of the file."""
    after = 0
    while batch := list(
        _faults(lst).filter(row_number__gt=after).order_by("row_number")[:FAULT_BATCH]
    ):
        for fault in batch:
            yield fault.row_number, _(FAULTS[Fault(fault.code)]), cells_of(lst, fault)
        after = batch[-1].row_number


def _faults(lst: RecipientList) -> Any:
    return RecipientFault.objects.filter(workspace_id=lst.workspace_id, recipient_list=lst)

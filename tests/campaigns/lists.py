"""Plain functions that upload and import lists by the product's own verbs."""

import io
from collections.abc import Mapping

from campaigns.actions import lists
from campaigns.actions.imports import import_chunk
from campaigns.models import Recipient, RecipientFault, RecipientList
from campaigns.rules.layouts import Wish
from tests.make import NOW, number
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.scope import scope

__all__ = ["NOW", "number"]

PEOPLE = b"phone,name\n07700900001,Ann\n07700900002,Bob\n"


def begun(me: Me, data: bytes, file_name: str = "people.csv") -> RecipientList:
    """Begin the upload of some bytes."""
    with scope(me.here):
        return lists.start_upload(by=me, file_name=file_name, size_bytes=len(data), now=NOW)


def sent(me: Me, data: bytes, file_name: str = "people.csv") -> RecipientList:
    """Send some bytes in one piece; nothing is looked at yet."""
    lst = begun(me, data, file_name)
    with scope(me.here):
        lists.append(by=me, list_id=lst.pk, offset=0, stream=io.BytesIO(data), now=NOW)
    return lst


def uploaded(me: Me, data: bytes = PEOPLE, file_name: str = "people.csv") -> RecipientList:
    """Upload a file to its end."""
    lst = sent(me, data, file_name)
    with scope(me.here):
        return lists.finish_upload(by=me, list_id=lst.pk, now=NOW)


def ordered(
    me: Me,
    data: bytes = PEOPLE,
    *,
    number_column: int = 0,
    country: str = "GB",
    names: Mapping[int, str] | None = None,
    wish: Wish | None = None,
) -> RecipientList:
    """Upload a file and order its import."""
    lst = uploaded(me, data)
    choice = lists.Choice(
        number_column, country, {1: "name"} if names is None else names, wish or Wish()
    )
    with scope(me.here):
        return lists.choose_columns(by=me, list_id=lst.pk, choice=choice, now=NOW)


def finished(me: Me, lst: RecipientList) -> RecipientList:
    """Import what is left of a list; return it as it is afterwards."""
    with scope(me.here):
        while not import_chunk(lst.pk, NOW).is_done:
            pass
        return RecipientList.objects.select_related("workspace").get(pk=lst.pk)


def people(lst: RecipientList) -> list[tuple[int, str, dict[str, str]]]:
    """Return row, clear number and values of every recipient, in the order of the file."""
    with scope(lst.workspace):
        rows = list(Recipient.objects.filter(recipient_list=lst).order_by("row_number"))
    return [
        (
            row.row_number,
            keys().open_number(bytes(row.number_sealed or b""), lst.workspace_id),
            row.values,
        )
        for row in rows
    ]


def faults(lst: RecipientList) -> list[tuple[int, str]]:
    """Return row and code of every fault, in the order of the file."""
    with scope(lst.workspace):
        rows = RecipientFault.objects.filter(recipient_list=lst).order_by("row_number")
        return list(rows.values_list("row_number", "code"))


def counts(lst: RecipientList) -> tuple[int, int, int, int]:
    """Return rows, valid, faulty, duplicate."""
    return (lst.row_count, lst.valid_count, lst.fault_count, lst.duplicate_count)


def again(lst: RecipientList) -> RecipientList:
    """Return a list as it is in the database now."""
    with scope(lst.workspace):
        return RecipientList.objects.select_related("workspace").get(pk=lst.pk)

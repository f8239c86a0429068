"""Recipient lists: what their columns mean, and whether they are put away.

How they are uploaded is in uploads.py, how they are imported in imports.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.actions.list_moves import ListRefused, list_obj, move, overtaken, under_way
from campaigns.actions.uploads import append, discard, finish_upload, start_upload
from campaigns.models import ListState, RecipientList
from campaigns.queries.list_files import look_at
from campaigns.rules.faults import FILE_FAULTS, FileFault
from campaigns.rules.layouts import Wish, is_placeholder_name
from campaigns.rules.number_plans import is_country
from workspaces.actions.noting import note
from workspaces.queries.me import Me

__all__ = [
    "Choice",
    "append",
    "archive",
    "choose_columns",
    "discard",
    "finish_upload",
    "restore",
    "start_upload",
]


@dataclass(frozen=True)
class Choice:
    """What a person says about the columns of a file; columns count from 0.

    `names` has a placeholder name for each column that is taken besides the number. `country` is
    an ISO code, or '' when each number has its country code.
    """

    number_column: int
    country: str
    names: Mapping[int, str]
    wish: Wish


def choose_columns(*, by: Me, list_id: int, choice: Choice, now: datetime) -> RecipientList:
    """Say what the columns mean, and order the import. Raises ListRefused."""
    lst = under_way(by, list_id, ListState.UPLOADED)
    if not is_country(choice.country):
        raise ListRefused(_("Choose a country."), field="country")
    try:
        seen = look_at(lst, choice.country, choice.wish)
    except FileNotFoundError as gone:
        raise ListRefused(_("The file is gone from the server. Upload it again.")) from gone
    if isinstance(seen, FileFault):
        raise ListRefused(_(FILE_FAULTS[seen]))
    _require_columns(choice, len(seen.header))
    positions = sorted(choice.names)
    names = [choice.names[position] for position in positions]
    with transaction.atomic(durable=True):
        move(
            lst,
            ListState.UPLOADED,
            ListState.IMPORTING,
            now,
            delimiter=seen.layout.delimiter,
            line_end=seen.layout.line_end,
            has_header=seen.has_header,
            header=list(seen.header),
            number_column=choice.number_column,
            country=choice.country,
            columns=names,
            positions=positions,
            next_byte=seen.start.byte,
            next_row=seen.start.row,
        )
        note(
            by,
            "list.import",
            list_obj(lst.pk),
            now=now,
            diff={
                "columns": (None, names),
                "number_column": (None, choice.number_column + 1),
                "country": (None, choice.country),
            },
        )
    return lst


def _require_columns(choice: Choice, width: int) -> None:
    """Refuse a choice that does not fit the file; the field is that of the form."""
    if not 0 <= choice.number_column < width:
        raise ListRefused(_("Choose the column with the phone numbers."), field="number_column")
    seen: set[str] = set()
    for position, name in sorted(choice.names.items()):
        field = f"name_{position}"
        if not 0 <= position < width or position == choice.number_column:
            raise ListRefused(_("This column cannot be a placeholder."), field=field)
        if not is_placeholder_name(name):
            raise ListRefused(
                _("A placeholder name has a-z, 0-9 and _, begins with a letter, and is short."),
                field=field,
            )
        if name in seen:
            raise ListRefused(
                _("Two columns are called %(name)s. Rename one.") % {"name": name}, field=field
            )
        seen.add(name)


def archive(*, by: Me, list_id: int, now: datetime) -> None:
    """Put a list away: it is not offered to new campaigns. Raises ListRefused."""
    _set_archived(by, list_id, is_archived=True, now=now)


def restore(*, by: Me, list_id: int, now: datetime) -> None:
    """Take a list back out. Raises ListRefused."""
    _set_archived(by, list_id, is_archived=False, now=now)


def _set_archived(by: Me, list_id: int, *, is_archived: bool, now: datetime) -> None:
    with transaction.atomic(durable=True):
        changed = RecipientList.objects.filter(
            pk=list_id,
            workspace=by.here,
            is_archived=not is_archived,
            is_internal=False,
            state__in=[ListState.READY, ListState.FAILED],
        ).update(is_archived=is_archived)
        if not changed:
            raise overtaken()
        note(by, "list.archive" if is_archived else "list.restore", list_obj(list_id), now=now)

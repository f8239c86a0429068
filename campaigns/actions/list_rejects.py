"""The reject file: rows that were not taken, with their reasons, as they were in the file."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.actions.list_moves import ListRefused, NoSuchList, list_obj
from campaigns.models import RecipientList
from campaigns.queries.lists import find_list
from workspaces.actions.noting import note
from workspaces.queries.me import Me


def take_reject_file(*, by: Me, list_id: int, now: datetime) -> RecipientList:
    """Record that the caller takes the reject file of a list; return the list.

    It shows numbers in full, so it is for the uploader and those who may see them.
    Raises ListRefused.
    """
    lst = find_list(by.here, list_id)
    if lst is None:
        raise NoSuchList(_("There is no such list."))
    if lst.uploaded_by_id != by.user.pk and not by.may("number.reveal"):
        raise ListRefused(
            _("The reject file shows full numbers. Ask the person who uploaded the list.")
        )
    with transaction.atomic(durable=True):
        note(
            by,
            "messages.export",
            list_obj(lst.pk),
            now=now,
            diff={"rejected_rows": (None, lst.fault_count)},
        )
    return lst

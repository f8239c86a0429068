"""A fair sample of a list or of a frozen audience: rows from all over it, by its index alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Recipient, RecipientList
from campaigns.rules.numbers import mask
from workspaces.queries.keys import keys

SAMPLE = 1_000
# A long list is read at this many places, so many rows at each.
PLACES = 50

ROWS_OF_LIST = """
SELECT DISTINCT ON (r.id) r.id, r.row_number, r."values"
FROM generate_series(0, %(places)s - 1) AS place,
LATERAL (
    SELECT id, row_number, "values" FROM recipient
    WHERE workspace_id = %(workspace)s AND recipient_list_id = %(list)s
      AND id >= %(first)s + (%(last)s - %(first)s + 1) * place / %(places)s
    ORDER BY id LIMIT %(each)s
) AS r
ORDER BY r.id
"""
ROWS_OF_AUDIENCE = """
SELECT r.id, r.row_number, r."values" FROM message m JOIN recipient r ON r.id = m.recipient_id
WHERE m.frozen_on = %s AND m.campaign_id = %s AND m.workspace_id = %s
  AND m.position >= %s AND m.position < %s
ORDER BY m.position
"""


@dataclass(frozen=True)
class Row:
    """A recipient without his number."""

    pk: int
    row_number: int
    values: dict[str, str]


@dataclass(frozen=True)
class Sample:
    """Some rows of `total`; `is_whole` when they are all of them."""

    rows: Sequence[Row]
    total: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return len(self.rows) >= self.total


def sample_of_list(lst: RecipientList) -> Sample:
    """Return up to SAMPLE rows from all over a list, in its order."""
    rows = Recipient.objects.filter(workspace_id=lst.workspace_id, recipient_list=lst)
    if lst.valid_count <= SAMPLE:
        found = rows.order_by("pk").values_list("pk", "row_number", "values")[:SAMPLE]
        return Sample([Row(*one) for one in found], lst.valid_count)
    ids = rows.order_by("pk").values_list("pk", flat=True)
    first, last = ids.first(), ids.last()
    asked = {
        "places": PLACES,
        "each": SAMPLE // PLACES,
        "workspace": lst.workspace_id,
        "list": lst.pk,
        "first": first,
        "last": last,
    }
    return Sample(_rows(ROWS_OF_LIST, asked), lst.valid_count)


def sample_of_audience(campaign: Campaign, start: int = 0, count: int = SAMPLE) -> Sample:
    """Return rows of a frozen audience by position: positions are a shuffle, so any slice is
    fair.
    """
    asked = [campaign.frozen_on, campaign.pk, campaign.workspace_id, start, start + count]
    return Sample(_rows(ROWS_OF_AUDIENCE, asked), campaign.total)


def _rows(statement: str, asked: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return [Row(pk, number, json.loads(values)) for pk, number, values in cursor.fetchall()]


def masked_numbers(workspace_id: int, rows: Sequence[Row]) -> dict[int, str]:
    """Return the numbers of a few rows as pages show them, by the rows' ids."""
    wanted = [row.pk for row in rows]
    found = Recipient.objects.filter(workspace_id=workspace_id, pk__in=wanted)
    seal = keys()
    return {
        pk: mask(seal.open_number(bytes(sealed), workspace_id)) if sealed else _("erased")
        for pk, sealed in found.values_list("pk", "number_sealed")
    }

"""What settles unknowns, as pages show it: imports of call records, requests to send again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import CallRecord, CallRecordImport, Campaign, ResendDecision, ResendState
from campaigns.queries.list_files import path_of
from campaigns.rules.call_records import LEFT, Reason
from campaigns.rules.spreadsheets import Layout, Position, read_chunk
from workspaces.models import Workspace

SHOWN = 20
ROWS_A_TIME = 5_000

REASON_WORDS: Mapping[str, str | Promise] = {
    Reason.SETTLED: _("Settled an unknown message"),
    Reason.KNOWN: _("About a message whose fate was known"),
    Reason.NO_MATCH: _("No message of ours to this person fits its sender and time"),
    Reason.FEWER: _("There are fewer records than messages: nobody can say which is meant"),
    Reason.MORE: _("There are more records than messages: some are not ours, or came twice"),
    Reason.OPEN: _("A message to this person is in flight, or was sent again"),
    Reason.BAD_NUMBER: _("The number cannot be read"),
    Reason.BAD_TIME: _("The time cannot be read"),
    Reason.BROKEN: _("The row cannot be cut into cells"),
}


# The newest campaigns of which anything was refused; their refused rows have an index.
MOST_CAMPAIGNS = 50
NEVER_THERE = """
SELECT c.number, c.name, c.author_person_id, count(*)
FROM (
    SELECT c.id, c.number, c.name, c.author_person_id, c.frozen_on
    FROM campaign c JOIN progress p ON p.campaign_id = c.id AND p.refused > 0
    WHERE c.workspace_id = %s AND c.deleted_at IS NULL AND (%s::integer IS NULL OR c.number = %s)
    ORDER BY c.number DESC LIMIT %s) c
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT s.position) AS positions FROM submission s
    WHERE s.campaign_id = c.id AND s.batch_on >= c.frozen_on
      AND s.kind = 'refused' AND s.evidence = 'records') f
CROSS JOIN LATERAL resendable(c.id, f.positions) r
WHERE f.positions IS NOT NULL AND r.message_state = 'refused'
GROUP BY c.number, c.name, c.author_person_id ORDER BY c.number DESC
"""
# More of them are not told apart for a page: to derive a state costs some microseconds.
MOST_TOLD_APART = 100_000
BY_STATE = "SELECT s.message_state, count(*) FROM resendable(%s, %s) s GROUP BY s.message_state"


@dataclass(frozen=True)
class NeverThere:
    """How many messages of a campaign the SMSC never had, by its own call records."""

    number: int
    name: str
    author_person_id: int
    count: int

    def __str__(self) -> str:
        return f"C-{self.number}"


def never_there(workspace: Workspace, number: int | None = None) -> list[NeverThere]:
    """Return campaigns with messages that the SMSC never had, newest first: all, or this one."""
    with connection.cursor() as cursor:
        cursor.execute(NEVER_THERE, [workspace.pk, number, number, MOST_CAMPAIGNS])
        return [NeverThere(*row) for row in cursor.fetchall()]


def absent_in(asked: ResendDecision) -> int | None:
    """Return how many messages of a request were never at the SMSC, as it is known now; None for a
    request that is too large to look through.
    """
    if asked.message_count > MOST_TOLD_APART:
        return None
    with connection.cursor() as cursor:
        cursor.execute(BY_STATE, [asked.campaign_id, asked.positions])
        return int(dict(cursor.fetchall()).get("refused", 0))


def find_records(workspace: Workspace, records_id: int) -> CallRecordImport | None:
    """Return an import of this workspace, or None."""
    rows = CallRecordImport.objects.select_related("workspace", "connection", "uploaded_by__person")
    return rows.filter(workspace=workspace, pk=records_id).first()


def newest_records(workspace: Workspace) -> list[CallRecordImport]:
    """Return the last imports."""
    rows = CallRecordImport.objects.filter(workspace=workspace).select_related("connection")
    return list(rows.order_by("-pk")[:SHOWN])


def reasons_of(records: CallRecordImport) -> list[tuple[str | Promise, int]]:
    """Return what came of the records that were kept: words and how many rows."""
    rows = CallRecord.objects.filter(records=records).exclude(reason="")
    counted = rows.values_list("reason").annotate(n=Count("pk")).order_by("-n", "reason")
    return [(REASON_WORDS.get(reason, reason), n) for reason, n in counted]


def left_rows(records: CallRecordImport) -> Iterator[tuple[int, str, Sequence[str]]]:
    """Yield (row, why, cells) of records that settled nothing, in the order of the file.

    Nothing when the file is gone already.
    """
    rows = CallRecord.objects.filter(records=records, reason__in=LEFT)
    wanted = dict(rows.values_list("row_number", "reason"))
    layout = Layout(records.encoding, records.delimiter, records.line_end)
    at, is_last = Position(0, 1), not wanted or not records.file_key
    while not is_last:
        try:
            with path_of(records.workspace.uuid, records.file_key).open("rb") as file:
                chunk = read_chunk(
                    file, layout, at, row_limit=ROWS_A_TIME, byte_limit=ROWS_A_TIME * 400
                )
        except FileNotFoundError:
            return
        for number, cells in sorted([*chunk.rows, *chunk.broken]):
            if number in wanted:
                yield number, str(REASON_WORDS.get(wanted[number], "")), cells
        at, is_last = chunk.end, chunk.is_last


def find_resend(workspace: Workspace, decision_id: int) -> ResendDecision | None:
    """Return a request of this workspace, or None."""
    return _decisions(workspace).filter(pk=decision_id).first()


def open_resends(workspace: Workspace) -> list[ResendDecision]:
    """Return the requests that wait for a second person."""
    return list(_decisions(workspace).filter(state=ResendState.REQUESTED).order_by("-pk")[:SHOWN])


def resends_of(campaign: Campaign) -> list[ResendDecision]:
    """Return every request of a campaign, newest first."""
    rows = ResendDecision.objects.filter(campaign=campaign)
    return list(rows.select_related("requested_by__person", "decided_by__person").order_by("-pk"))


def _decisions(workspace: Workspace) -> QuerySet[ResendDecision]:
    return ResendDecision.objects.filter(workspace=workspace).select_related(
        "campaign", "requested_by__person", "decided_by__person"
    )

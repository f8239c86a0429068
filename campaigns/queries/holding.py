"""Where a workspace still holds one subscriber's number in a form that can be opened."""

from dataclasses import dataclass
from hashlib import sha256

from django.db import connection

from audit.queries.kept import holding
from campaigns.queries.faulty_rows import faulty_rows_with
from workspaces.models import Workspace
from workspaces.queries.keys import keys

# By lists: a list's rows are found by their fingerprint, a workspace's are not.
RECIPIENTS = """
SELECT r.id FROM recipient_list l
JOIN recipient r ON r.recipient_list_id = l.id AND r.fingerprint = %(person)s
WHERE l.workspace_id = %(place)s AND r.number_sealed IS NOT NULL
UNION ALL
SELECT r.id FROM recipient r
WHERE r.recipient_list_id IS NULL AND r.fingerprint = %(person)s AND r.workspace_id = %(place)s
  AND r.number_sealed IS NOT NULL
"""
_COUNTS = f"""
SELECT (SELECT count(*) FROM ({RECIPIENTS}) r),
    (SELECT count(*) FROM opt_out
     WHERE workspace_id = %(place)s AND fingerprint = %(person)s AND number_sealed <> ''),
    (SELECT count(*) FROM inbound_message
     WHERE workspace_id = %(place)s AND fingerprint = %(person)s)
"""  # noqa: S608 - parts of one constant


@dataclass(frozen=True)
class Held:
    """In how many rows a number is held; `faulty_rows` are rows of files that were not taken,
    `entries` are values of the audit log.
    """

    recipients: int
    faulty_rows: int
    opt_outs: int
    replies: int
    entries: int

    @property
    def total(self) -> int:
        """Return how many there are."""
        rows = self.recipients + self.faulty_rows + self.opt_outs + self.replies
        return rows + self.entries


def person_in(workspace: Workspace, number: str) -> dict[str, int | bytes]:
    """Return the values that the statements about one person need; `number` is digits."""
    return {"place": workspace.pk, "person": keys().fingerprint(number)}


def held(workspace: Workspace, number: str) -> Held:
    """Count where a number (digits) is held."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, person_in(workspace, number))
        recipients, opt_outs, replies = cursor.fetchone()
    return Held(
        recipients=recipients,
        faulty_rows=len(faulty_rows_with(workspace, number)),
        opt_outs=opt_outs,
        replies=replies,
        entries=len(holding(workspace.uuid, f"+{number}")),
    )


def code_of(workspace: Workspace, number: str, found: Held) -> str:
    """Return what confirms that exactly this is to be erased: 8 hex digits."""
    said = f"{workspace.uuid} {keys().fingerprint(number).hex()} {found}"
    return sha256(said.encode()).hexdigest()[:8]

"""Lines of fallback files that a process says it wrote and that never entered the log."""

from dataclasses import dataclass

from django.db import connection

from audit.queries.system import every_chain

# A process tells what it wrote as soon as the database is there; the sweep ingests soon after.
SECONDS = 120
_MISSING = """
SELECT * FROM (SELECT w.obj_id, max((w.body::json #>> '{diff,last,1}')::bigint) AS wrote, coalesce((
    SELECT max((i.body::json #>> '{diff,lines,1}')::bigint) FROM audit_event i
    WHERE i.ws = w.ws AND i.op = 'fallback.ingested'
      AND i.body::json #>> '{diff,file,1}' = w.obj_id), 0) AS taken
FROM audit_head h
JOIN audit_event w ON w.ws = h.ws AND w.op = 'fallback.wrote'
WHERE w.created < clock_timestamp() - make_interval(secs => %s)
GROUP BY w.ws, w.obj_id) t
WHERE taken < wrote ORDER BY obj_id
"""


@dataclass(frozen=True)
class Missing:
    """A file of which `wrote` lines were written and `taken` entered the log."""

    file: str
    wrote: int
    taken: int


def missing_lines() -> list[Missing]:
    """Return the files with lines that are missing, by name."""
    with every_chain(), connection.cursor() as cursor:
        cursor.execute(_MISSING, [SECONDS])
        return [Missing(*row) for row in cursor.fetchall()]

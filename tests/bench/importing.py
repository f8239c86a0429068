"""An import through the product's verb, beside COPY of as many rows that are ready to store.

The ranges reserved for fiction hold 60,000 numbers. A larger list repeats 50,000 of them, so most
of its rows are duplicates; a list without a repeat is measured beside it.
"""

import io
import os
import time

import psycopg
from django.utils import timezone

from campaigns.actions import lists
from campaigns.actions.imports import Run
from campaigns.models import RecipientList
from campaigns.rules.layouts import Wish
from tests import make
from tests.bench.figures import all_of, median
from tests.ground import SHARED, Ground
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope, scope_everywhere

ROUNDS = 3
ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
DISTINCT = 50_000
COPY_ROWS = (
    "COPY bench_recipient (workspace_id, recipient_list_id, row_number, fingerprint, number_sealed,"
    ' "values") FROM STDIN'
)


def measure(ground: Ground) -> None:
    """Import and COPY in turn, three times, and print."""
    with scope_everywhere("the bench makes its workspace"):
        author = make.person_in(make.workspace(), Role.AUTHOR)
    for rows in sorted({min(DISTINCT, ROWS), ROWS}):
        pairs = [(_import(author, rows), _copy(ground, rows)) for _round in range(ROUNDS)]
        _tell(rows, [pair[0] for pair in pairs], [pair[1] for pair in pairs])


def _import(author: Me, rows: int) -> float:
    """Return rows/s from the first chunk to the ready list."""
    with scope(author.here):
        lst = _uploaded(author, _file(rows))
        began = time.perf_counter()
        with Run(lst.pk) as run:
            while not run.step(timezone.now()).is_done:
                pass
        seconds = time.perf_counter() - began
        lst.refresh_from_db()
    # One area code of the range has no number that a telephone could have: 100 faults in 50,000.
    assert lst.row_count == rows, lst.failure
    assert lst.valid_count >= min(rows, DISTINCT) * 0.99, lst.fault_count
    return rows / seconds


def _file(rows: int) -> bytes:
    """Return a CSV file with a header; row i has number i modulo DISTINCT."""
    numbers = [make.number(index) for index in range(min(rows, DISTINCT))]
    lines = (f"+{numbers[row % DISTINCT]};Name {row % 1000};en\n" for row in range(rows))
    return b"phone;first_name;lang\n" + "".join(lines).encode()


def _uploaded(author: Me, data: bytes) -> RecipientList:
    now = timezone.now()
    lst = lists.start_upload(by=author, file_name="bench.csv", size_bytes=len(data), now=now)
    lists.append(by=author, list_id=lst.pk, offset=0, stream=io.BytesIO(data), now=now)
    lists.finish_upload(by=author, list_id=lst.pk, now=now)
    choice = lists.Choice(0, "GB", {1: "first_name", 2: "lang"}, Wish())
    return lists.choose_columns(by=author, list_id=lst.pk, choice=choice, now=now)


def _copy(ground: Ground, rows: int) -> float:
    """Return rows/s of one COPY into a table with the columns and indexes of `recipient`."""
    text = _prepared(rows)
    with psycopg.connect(ground.url("owner", SHARED), autocommit=True) as link:
        link.execute("DROP TABLE IF EXISTS bench_recipient")
        link.execute("CREATE TABLE bench_recipient (LIKE recipient INCLUDING ALL)")
        began = time.perf_counter()
        with link.cursor() as cursor, cursor.copy(COPY_ROWS) as copy:
            copy.write(text)
        seconds = time.perf_counter() - began
        link.execute("DROP TABLE bench_recipient")
    return rows / seconds


def _prepared(rows: int) -> str:
    """Return COPY's text of rows as large as the import stores; every fingerprint is new."""
    return "".join(
        f"1\t1\t{row}\t\\\\x{os.urandom(16).hex()}\t\\\\x{os.urandom(40).hex()}\t"
        f'{{"first_name": "Name {row % 1000}", "lang": "en"}}\n'
        for row in range(rows)
    )


def _tell(rows: int, imports: list[float], copies: list[float]) -> None:
    a, b = median(imports), median(copies)
    repeats = "all distinct" if rows <= DISTINCT else f"{DISTINCT:,} distinct, the rest duplicates"
    print(f"  {rows:,} rows ({repeats})")
    print(f"  import          {a:>8,.0f} rows/s       ({all_of(imports)})")
    print(f"  COPY alone      {b:>8,.0f} rows/s       ({all_of(copies)}; all distinct)")
    print(f"  import / COPY   {a / b:>8.2f}")

"""Audit appends beside plain INSERTs of the same body, and the sequencer."""

import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import transaction
from django.utils import timezone

from audit.actions.record import open_chain, record
from audit.actions.sequence import Sequencer
from audit.rules.clock import Reading
from audit.rules.events import Obj, event_bytes
from audit.rules.hashes import leaf_hash
from tests import make
from tests.audit.make import happening
from tests.bench.figures import all_of, median
from tests.ground import SHARED, Ground
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

ROUNDS = 3
EVENTS = 2_000
OP = "list.ready"
DIFF: dict[str, tuple[Any, Any]] = {"valid_count": (None, 48_211), "row_count": (None, 50_000)}


def measure(ground: Ground) -> None:
    """Append, insert and sequence in turn, three times, and print."""
    with scope_everywhere("the bench makes its workspace"):
        author = make.person_in(make.workspace(), Role.AUTHOR)
    with transaction.atomic():
        open_chain(author.here.uuid, now=timezone.now())
    with psycopg.connect(ground.url("sequencer", SHARED), autocommit=True) as link:
        sequencer = Sequencer(link, secret=b"b" * 32, epoch_seconds=3600)
        _sequence(sequencer)
        rounds = [
            (_append(author), _insert(ground, author), _sequence(sequencer))
            for _round in range(ROUNDS)
        ]
    _tell(*([each[part] for each in rounds] for part in range(3)))


def _append(author: Me) -> float:
    """Return events/s of record(), each in a transaction of its own."""
    began = time.perf_counter()
    for index in range(EVENTS):
        with transaction.atomic(durable=True):
            record(
                OP,
                workspace=author.here.uuid,
                actor=author.actor,
                obj=Obj("list", f"lst_{index}"),
                now=timezone.now(),
                diff=DIFF,
            )
    return EVENTS / (time.perf_counter() - began)


def _insert(ground: Ground, author: Me) -> float:
    """Return events/s of a plain INSERT of a ready body, each in a transaction of its own."""
    obj = Obj("list", "lst_1")
    made = happening(author.here.uuid, OP, actor=author.actor, obj=obj, diff=DIFF)
    body = event_bytes(made)
    values = (author.here.uuid, leaf_hash(body), body.decode())
    with psycopg.connect(ground.url("owner", SHARED), autocommit=True) as link:
        link.execute("DROP TABLE IF EXISTS bench_event")
        link.execute(
            "CREATE TABLE bench_event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " eid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), ws uuid NOT NULL,"
            " leaf bytea NOT NULL, body text NOT NULL)"
        )
        began = time.perf_counter()
        for _event in range(EVENTS):
            with link.transaction():
                link.execute("INSERT INTO bench_event (ws, leaf, body) VALUES (%s, %s, %s)", values)
        seconds = time.perf_counter() - began
        link.execute("DROP TABLE bench_event")
    return EVENTS / seconds


def _sequence(sequencer: Sequencer) -> float:
    """Number all that is pending; return events/s."""
    began, count = time.perf_counter(), 0
    while True:
        step = sequencer.step(Reading(datetime.now(UTC), time.monotonic()))
        count += step.entry_count
        if not step.is_full:
            return count / (time.perf_counter() - began)


def _tell(appends: list[float], inserts: list[float], numbered: list[float]) -> None:
    a, b, c = median(appends), median(inserts), median(numbered)
    print(f"  {EVENTS:,} events, one transaction each")
    print(f"  record()        {a:>8,.0f} events/s     ({all_of(appends)})")
    print(f"  plain INSERT    {b:>8,.0f} events/s     ({all_of(inserts)})")
    print(f"  record / INSERT {a / b:>8.2f}")
    print(f"  sequencer       {c:>8,.0f} events/s     ({all_of(numbered)})")

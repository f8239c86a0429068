"""The faults. Each strikes and heals by itself; the campaign judges what came of it.

`heal_at` returned by `strike` is the Unix time from which recovery counts. `budgets` is how many
intent budgets of unknowns the fault may leave, `limit` the seconds of I8 on a quiet machine.
"""

import os
import random
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGSTOP, Signals
from typing import Any

import psycopg
import redis
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import Campaign, OptOut
from campaigns.rules.campaign_states import State
from message_center.stack.product import ROOT
from tests import make
from tests.chaos.invariants import Broken
from tests.chaos.stage import (
    LEASE_SECONDS,
    USUAL,
    Stage,
    fresh_connections,
    now,
)
from tests.poll import poll
from workspaces.queries.keys import keys

# On a busy machine the SMSC takes what was written before a pause so much later.
BUSY_SECONDS = 3.0


class Fault:
    """One thing that goes wrong. `disturbs` is true where segments may arrive in a bunch."""

    group: str = ""
    budgets: float = 0
    limit: float | None = None
    disturbs: bool = False
    # Where other sessions send all the time: from when on a segment proves that all is well again.
    flows_from: float = 0

    @property
    def name(self) -> str:
        """Return the words for the journal."""
        return type(self).__name__

    def strike(self, stage: Stage, dice: random.Random) -> float:
        """Do it and take it back; return the Unix time from which recovery counts."""
        raise NotImplementedError


# The sender


class Kill(Fault):
    """kill -9 of the sender at a random moment, and a new one at once."""

    group = "sender kill -9"
    budgets = 1
    limit = 5

    def strike(self, stage: Stage, dice: random.Random) -> float:
        stage.sender.kill9()
        killed_at = now()
        stage.begin()
        return killed_at


class Terminate(Fault):
    """SIGTERM as a deployment does; everything in flight is awaited."""

    group = "sender SIGTERM"
    limit = 5

    def strike(self, stage: Stage, dice: random.Random) -> float:
        poll(stage.sender.is_ready, 30, "Celery is not ready")
        code = stage.sender.term(30)
        if code != 0:
            raise Broken(f"the sender ended with {code}")
        moving = stage.checker.rows("SELECT coalesce(sum(sending), 0) FROM progress")[0][0]
        if moving:
            raise Broken(f"{moving} messages were in flight when the sender had gone")
        ended_at = now()
        stage.begin()
        return ended_at


class TerminateWithoutDatabase(Fault):
    """SIGTERM while the database is away: it comes back while the sender waits for it."""

    group = "sender SIGTERM, database away"

    def strike(self, stage: Stage, dice: random.Random) -> float:
        poll(stage.sender.is_ready, 30, "Celery is not ready")
        fresh_connections()
        postgres = stage.processes.ground.postgres
        postgres.stop(immediate=True)
        with ThreadPoolExecutor(1) as beside:
            ended = beside.submit(stage.sender.term, 45)
            time.sleep(dice.uniform(1, 4))
            postgres.start()
            code = ended.result()
        if code != 0:
            raise Broken(f"the sender ended with {code}")
        ended_at = now()
        stage.begin()
        return ended_at


class Takeover(Fault):
    """Two senders: the one that began is killed, the other takes over what it held."""

    group = "sender kill -9, another stands by"
    budgets = 1
    limit = 5

    def strike(self, stage: Stage, dice: random.Random) -> float:
        stage.spare.start(60)
        stage.wait_accepted(dice.randint(10, 50))
        pid = stage.sender.pid
        stage.sender.kill9()
        killed_at = now()
        stage.wait_taken_over(pid)
        self.flows_from = now()
        stage.swap()
        return killed_at


class Freeze(Fault):
    """SIGSTOP beyond the lease while another takes over, then SIGCONT: a zombie wakes up."""

    group = "sender frozen and woken"
    budgets = 1
    limit = LEASE_SECONDS + 5

    def strike(self, stage: Stage, dice: random.Random) -> float:
        stage.spare.start(60)
        stage.wait_accepted(dice.randint(10, 50))
        frozen = stage.sender
        before = now() - 1
        frozen.freeze()
        try:
            frozen_at = now()
            assert stage.checker.leases_of_others(frozen.pid) < stage.sessions
            stage.wait_taken_over(frozen.pid)
            self.flows_from = now()
            stage.wait_flow(self.flows_from)
            woken_at = now()
        finally:
            frozen.thaw()
        stage.wait_accepted(stage.rate)
        # What it had written arrives on a busy machine so much later.
        ended = stage.ledger.sessions_between(before, frozen_at) - stage.ledger.sessions_between(
            frozen_at + BUSY_SECONDS, woken_at
        )
        late = sum(stage.ledger.count_after(woken_at, session=one) for one in ended)
        if late:
            raise Broken(f"the woken sender wrote {late} segments after its lease had ended")
        frozen.term(40)
        stage.swap()
        return frozen_at


class NoFiles(Fault):
    """The sender may open no file more and loses its session; then it may again."""

    group = "sender out of files"
    budgets = 1
    disturbs = True

    def strike(self, stage: Stage, dice: random.Random) -> float:
        pid = stage.sender.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
        try:
            stage.simulator.do("drop")
            time.sleep(3)
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        return now()


# The database


class DatabaseStop(Fault):
    """An immediate stop of PostgreSQL, and a start."""

    group = "database immediate stop"
    limit = 10

    def strike(self, stage: Stage, dice: random.Random) -> float:
        fresh_connections()
        stage.processes.ground.postgres.stop(immediate=True)
        time.sleep(self.seconds(dice))
        stage.processes.ground.postgres.start()
        return now()

    def seconds(self, dice: random.Random) -> float:
        """Return how long it is away."""
        return dice.uniform(0, 0.5)


class DatabaseAway(DatabaseStop):
    """PostgreSQL is gone for three leases: what was answered waits, and nothing is written."""

    group = "database away for three leases"

    def seconds(self, dice: random.Random) -> float:
        return 3 * LEASE_SECONDS


class ConnectionLoss(Fault):
    """pg_terminate_backend of every connection of the sender, again and again."""

    group = "database connections lost"
    limit = 10

    def strike(self, stage: Stage, dice: random.Random) -> float:
        for _time in range(5):
            stage.checker.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND application_name LIKE 'message-center%%'"
            )
            time.sleep(dice.uniform(0.05, 0.3))
        return now()


class ConnectionLossBeside(ConnectionLoss):
    """The same while another sender stands by: locks are free, and their owner lives."""

    group = "database connections lost, another stands by"

    def strike(self, stage: Stage, dice: random.Random) -> float:
        stage.spare.start(60)
        healed_at = super().strike(stage, dice)
        stage.wait_accepted(stage.rate)
        stage.spare.term(40)
        return healed_at


@dataclass
class RowLock(Fault):
    """Somebody holds rows that the sender needs, for longer than its lock_timeout."""

    table: str
    seconds: float

    group = "database rows locked"
    limit = 10

    @property
    def name(self) -> str:
        return f"rows of {self.table} locked"

    def strike(self, stage: Stage, dice: random.Random) -> float:
        with psycopg.connect(stage.checker.url) as link:
            # In the order in which the product locks several.
            link.execute(f"SELECT * FROM {self.table} ORDER BY 1 FOR UPDATE")  # noqa: S608
            time.sleep(self.seconds)
        return now()


class DatabaseFreeze(Fault):
    """The database's host hangs for longer than the lease: connections stay up, nothing answers."""

    group = "database frozen"
    limit = 10

    def strike(self, stage: Stage, dice: random.Random) -> float:
        running = stage.processes.ground.postgres.running
        assert running is not None
        fresh_connections()
        try:
            _signal_all(running.pid, SIGSTOP)
            time.sleep(LEASE_SECONDS + 2)
        finally:
            _signal_all(running.pid, SIGCONT)
        return now()


def _signal_all(pid: int, number: Signals) -> None:
    """Signal a process and its children's children."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            _signal_all(int(child), number)


class SetUpAgain(Fault):
    """A deployment migrates and grants while the old sender sends."""

    group = "database set up again"
    limit = 10

    def strike(self, stage: Stage, dice: random.Random) -> float:
        words = [sys.executable, "manage.py", "setup_database"]
        environment = stage.processes.environment
        done = subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Broken(f"the database was not set up again: {done.stderr[-500:]}")
        return now()


# Valkey


@dataclass
class ValkeyFault(Fault):
    """FLUSHALL, a stop for a while, or a hang. Sending goes on meanwhile."""

    how: str

    group = "Valkey flush, stop, hang"
    limit = 2

    @property
    def name(self) -> str:
        return f"Valkey {self.how}"

    def strike(self, stage: Stage, dice: random.Random) -> float:
        valkey = stage.processes.ground.valkey
        struck_at = now()
        if self.how == "flush":
            with redis.Redis.from_url(valkey.url) as client:
                client.flushall()
        elif self.how == "stop":
            valkey.stop()
            stage.wait_flow(struck_at + 1)
            valkey.start()
        else:
            assert valkey.running is not None
            valkey.running.process.send_signal(SIGSTOP)
            try:
                stage.wait_flow(struck_at + 2)
            finally:
                valkey.running.process.send_signal(SIGCONT)
        return struck_at


# The SMSC, by its control port


@dataclass
class Switches(Fault):
    """Switches on for so many seconds, then off; a session that has become silent stays silent, so
    `ends_with` names what the SMSC does to its sessions afterwards.
    """

    title: str
    switches: dict[str, Any]
    seconds: float = 1.5
    budgets: float = 0
    disturbs: bool = False
    ends_with: str = ""
    group = "SMSC"

    @property
    def name(self) -> str:
        return self.title

    def strike(self, stage: Stage, dice: random.Random) -> float:
        stage.faults(**self.switches)
        time.sleep(self.seconds)
        stage.faults(**{name: USUAL.get(name, type(on)()) for name, on in self.switches.items()})
        if self.ends_with:
            stage.simulator.do(self.ends_with)
        return now()


class Silent(Fault):
    """The SMSC hangs for longer than the response timer, and answers everything afterwards."""

    group = "SMSC"
    budgets = 1
    disturbs = True

    def strike(self, stage: Stage, dice: random.Random) -> float:
        stage.simulator.freeze()
        try:
            time.sleep(stage.response_seconds + 1.5)
        finally:
            stage.simulator.thaw()
        return now()


@dataclass
class Verb(Fault):
    """The SMSC cuts or unbinds every session, or dies."""

    verb: str

    group = "SMSC"
    budgets = 1
    disturbs = True

    @property
    def name(self) -> str:
        return f"SMSC: {self.verb}"

    def strike(self, stage: Stage, dice: random.Random) -> float:
        if self.verb == "die":
            stage.simulator.kill()
            time.sleep(0.5)
            stage.restart_simulator()
        else:
            stage.simulator.do(self.verb)
        return now()


@dataclass
class BadLink(Fault):
    """The link carries one octet at a time, slowly, not at all, or half a PDU."""

    how: str

    group = "link"
    budgets = 1
    disturbs = True

    @property
    def name(self) -> str:
        return f"link: {self.how}"

    def strike(self, stage: Stage, dice: random.Random) -> float:
        link = stage.proxy.link
        if self.how == "octets":
            link.piece = 1
            time.sleep(1.5)
        elif self.how == "slow":
            link.piece, link.rate = 256, 8_000
            time.sleep(2.5)
        elif self.how == "dead":
            link.is_dead = True
            time.sleep(stage.response_seconds + 1.5)
        elif self.how == "half":
            link.cut_after = dice.randint(300, 3_000)
            time.sleep(1)
        else:
            stage.proxy.reset()
        stage.proxy.heal()
        return now()


# People


class PauseAndResume(Fault):
    """I5: nothing is claimed after a pause and nothing leaves a second later, until it goes on."""

    group = "pause, resume"

    def strike(self, stage: Stage, dice: random.Random) -> float:
        fresh_connections()
        held = Campaign.objects.filter(state=State.HELD)
        poll(lambda: not held.exists(), 30, "a campaign is held")
        alive = list(Campaign.objects.filter(state=State.SENDING))
        for campaign in alive:
            running.pause(number=campaign.number, by=stage.author, now=timezone.now())
            stage.decisions["campaign.pause"] += 1
        paused_at = now()
        time.sleep(1 + BUSY_SECONDS)
        stage.ledger.read_on()
        claimed = stage.checker.claimed_after(paused_at)
        late = stage.ledger.count_after(paused_at + 1 + BUSY_SECONDS / 2)
        if claimed or late:
            raise Broken(f"I5: {claimed} batches were claimed and {late} segments left in a pause")
        for campaign in alive:
            running.resume(number=campaign.number, by=stage.author, now=timezone.now())
            stage.decisions["campaign.resume"] += 1
        return now()


class OptOuts(Fault):
    """I5: people who opt out get nothing more, from the next second on."""

    group = "opt-outs"

    def strike(self, stage: Stage, dice: random.Random) -> float:
        fresh_connections()
        for index in dice.sample(range(stage.rows), 5):
            number = make.number(index)
            if int(number) in stage.opted_out:
                continue
            OptOut.objects.create(
                workspace=stage.author.here,
                fingerprint=keys().fingerprint(number),
                number_sealed=keys().seal_number(number, stage.author.here.pk),
                source="page",
                added_at=timezone.now(),
            )
            stage.opted_out[int(number)] = now()
        time.sleep(1)
        return now()

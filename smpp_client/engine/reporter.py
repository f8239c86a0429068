"""What a slot tells people: its state in one sentence, its last second in figures, its events."""

import asyncio
import time
from concurrent.futures import Executor
from contextlib import suppress
from datetime import datetime

import psycopg
import structlog
from django.utils.translation import gettext as _

from smpp_client.carrier import LeaseKey
from smpp_client.engine.accounts import Account, Place
from smpp_client.engine.board import Board, Observed
from smpp_client.engine.books import utc_now
from smpp_client.engine.lines import Flow
from smpp_client.models import FIRST_RECEIVER_SLOT
from smpp_client.rules.pace import Throttle


def slot_name(number: int) -> str:
    """Return what people call a slot."""
    if number >= FIRST_RECEIVER_SLOT:
        return _("Receiver %(n)s") % {"n": number - FIRST_RECEIVER_SLOT + 1}
    return _("Session %(n)s") % {"n": number + 1}


# What a person has to see to is told again after so many seconds, as long as it is so.
ALARM_SECONDS = 60.0

log = structlog.get_logger(__name__)


class Reporter:
    """Gathers what one slot observes and writes it down on the database thread."""

    def __init__(self, account: Account, place: Place, board: Board, executor: Executor) -> None:
        self.seen = Observed()
        self._place = place
        self._account = account
        self._board = board
        self._executor = executor
        self._alarmed_at: dict[str, float] = {}

    def observe(self, state: str, sentence: str, *, stands_still: bool = False) -> None:
        """Note the state that the slot is in now."""
        self.seen.now_in(state, sentence, utc_now(), stands_still=stands_still)

    def fail(self, kind: str, sentence: str) -> None:
        """Note why there is no session; the same sentence is told once."""
        if self.seen.sentence != sentence:
            self.tell(kind, sentence)
        self.observe("down", sentence)

    def tell(self, kind: str, sentence: str) -> None:
        """Write an event; returns at once."""
        log.info("connection_event", connection=self._account.name, kind=kind, sentence=sentence)
        asyncio.get_running_loop().run_in_executor(
            self._executor, self._told, kind, sentence, utc_now()
        )

    def alarm(self, about: str, sentence: str) -> None:
        """Tell of something that a person has to see to, at most once a minute."""
        now = time.monotonic()
        if now - self._alarmed_at.get(about, float("-inf")) >= ALARM_SECONDS:
            self._alarmed_at[about] = now
            self.tell("alarm", sentence)

    def _told(self, kind: str, sentence: str, now: datetime) -> None:
        with suppress(psycopg.Error):
            self._board.tell(self._account.id, kind, self._named(sentence), now)

    def _named(self, sentence: str) -> str:
        """Say which session it was, where there are several."""
        if len(self._account.places) == 1:
            return sentence
        return f"{slot_name(self._place.number)}: {sentence}"

    async def show(
        self,
        lease: LeaseKey,
        *,
        session: Flow | None,
        throttle: Throttle,
        certificate_ends_at: datetime | None,
    ) -> None:
        """Write the last second down and start counting anew. Raises psycopg.Error.

        Without a session nothing goes out, whatever the last second had: a stopped sender's row is
        looked at for a while.
        """
        seen = self.seen
        self.seen = Observed(seen.state, seen.sentence, seen.since, seen.host, seen.stands_still)
        values = {
            "lease": lease.lease_id,
            "state": seen.state,
            "sentence": seen.sentence[:400],
            "stands_still": seen.stands_still,
            "since": seen.since or utc_now(),
            "in_flight": session.in_flight if session is not None else 0,
            "rate_now": float(seen.submitted) if session is not None else 0.0,
            "rate_allowed": throttle.allowed(time.monotonic()),
            "response_ms": seen.p95_ms(),
            "throttled": seen.throttled,
            "submitted": seen.submitted,
            "certificate_ends_at": certificate_ends_at,
            "host": seen.host,
        }
        await asyncio.get_running_loop().run_in_executor(self._executor, self._board.show, values)

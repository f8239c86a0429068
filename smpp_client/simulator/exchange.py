"""What all sessions of one simulator share: switches, counters, ledger, accounts, numbers."""

import time
from asyncio import AbstractEventLoop
from collections import defaultdict, deque
from dataclasses import dataclass, field
from hmac import compare_digest
from pathlib import Path
from typing import Protocol

from smpp_client.simulator.counters import Counters
from smpp_client.simulator.faults import Faults
from smpp_client.simulator.ledger import Ledger
from smpp_client.simulator.pdus import (
    INVALID_PASSWORD,
    INVALID_SYSTEM_ID,
    OK,
    QUEUE_FULL,
    THROTTLED,
    Bind,
    Submit,
    message_body,
)
from smpp_client.simulator.receipts import Account, Calendar, Receipts
from smpp_client.simulator.sample import Sample


@dataclass(frozen=True)
class Config:
    """How one simulator is set up. Without `plain`, all three certificate paths are needed.

    Port 0 takes a free port. `control_port` None opens no control port; `write_from` is a file of
    subscribers' messages. Without a system_id
    everybody may bind; the password is checked only together with it.
    """

    ledger: Path
    host: str = "127.0.0.1"
    port: int = 0
    plain: bool = False
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    system_id: str | None = None
    password: str | None = None
    control_host: str = "127.0.0.1"
    control_port: int | None = None
    write_from: Path | None = None
    check_every: int = 1000
    faults: Faults = field(default_factory=Faults)


# Of so many binds it knows the certificates.
_BINDS_KEPT = 1000


class Connection(Protocol):
    """What the control port can do to an open session."""

    def drop(self) -> None:
        """Cut the connection without a word."""

    def unbind(self) -> None:
        """Ask the peer to unbind."""

    def enquire(self) -> None:
        """Send an enquire_link."""


class Exchange:
    """The shared state. It has no sockets; sessions bring submits and take receipts."""

    def __init__(self, config: Config, loop: AbstractEventLoop) -> None:
        self.config = config
        self.loop = loop
        self.faults = config.faults
        self.counters = Counters()
        self.ledger = Ledger(config.ledger)
        self.accounts: defaultdict[str, Account] = defaultdict(Account)
        self.calendar = Calendar(loop)
        self.receipts = Receipts(self.calendar, self.counters)
        self.sample = Sample(config.check_every, self.counters)
        self.connections: set[Connection] = set()
        # The SHA-256 of the certificate of each bind, in hexadecimal; "" over plain TCP.
        self.certificates: deque[str] = deque(maxlen=_BINDS_KEPT)
        # Starting at the clock in microseconds keeps message ids unique over restarts.
        self._message_number = time.time_ns() // 1000
        self._session_number = 0
        self._second = 0
        self._submits_in_second = 0

    def next_message_number(self) -> int:
        """Number the next accepted message."""
        self._message_number += 1
        return self._message_number

    def next_session_number(self) -> int:
        """Number the next connection, from 1."""
        self._session_number += 1
        return self._session_number

    def opened(self, connection: Connection) -> None:
        """Count a new connection."""
        self.connections.add(connection)
        self.counters.sessions_open = len(self.connections)
        self.counters.peak_sessions = max(self.counters.peak_sessions, len(self.connections))

    def closed(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self.connections.discard(connection)
        self.counters.sessions_open = len(self.connections)

    def judge_bind(self, bind: Bind) -> int:
        """Return the command_status for a bind."""
        if self.faults.refuse_bind:
            return self.faults.refuse_bind
        if self.config.system_id is None:
            return OK
        if bind.system_id != self.config.system_id:
            return INVALID_SYSTEM_ID
        if self.config.password is None:
            return OK
        is_right = compare_digest(bind.password.encode(), self.config.password.encode())
        return OK if is_right else INVALID_PASSWORD

    def judge(self, submit: Submit, in_flight: int, at: float) -> int:
        """Return the command_status that the switches want for a well-formed submit."""
        faults, number = self.faults, self.counters.submits
        if self._is_too_fast(at) or (faults.window and in_flight >= faults.window):
            return THROTTLED
        if faults.throttle_every and number % faults.throttle_every == 0:
            return THROTTLED
        if faults.queue_full_every and number % faults.queue_full_every == 0:
            return QUEUE_FULL
        destination = submit.destination[2:-1].decode("latin-1")
        for pattern, status in faults.refused_numbers:
            if pattern.match(destination):
                return status
        return OK

    def write_to(
        self,
        system_id: str,
        source: str,
        destination: str,
        text: str = "",
        octets: str = "",
        coding: int = 8,
        esm_class: int = 0,
    ) -> None:
        """Let a subscriber write to a sender: one deliver_sm with `text` in UCS-2, or with `octets`
        (in hexadecimal, a header of 0x40 in esm_class included) in any coding.
        """
        message = (bytes.fromhex(octets) or text.encode("utf-16-be"))[:140]
        account = self.accounts[system_id]
        account.waiting.append(
            message_body(source.encode(), destination.encode(), coding, message, esm_class)
        )
        account.pump()

    def count_open_receipts(self) -> int:
        """How many receipts are not due or wait for a receiver; those in a window not counted."""
        waiting = sum(len(account.waiting) for account in self.accounts.values())
        return waiting + self.calendar.count()

    def close(self) -> None:
        """Stop the timer and close the ledger."""
        self.calendar.close()
        self.ledger.close()

    def _is_too_fast(self, at: float) -> bool:
        """Count a submit in its clock second; true above the rate of `throttle_above`."""
        if int(at) != self._second:
            self._second, self._submits_in_second = int(at), 0
        self._submits_in_second += 1
        limit = self.faults.throttle_above
        return bool(limit) and self._submits_in_second > limit

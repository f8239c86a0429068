"""Delivery receipts: made when a submit is accepted, due later, kept until they are acknowledged.

A receipt goes to the receivers and transceivers bound with the system_id that submitted. While
none is bound, or all their windows are full, it waits in memory.
"""

import heapq
import random
import time
from asyncio import AbstractEventLoop, TimerHandle
from collections import deque
from functools import lru_cache
from typing import Protocol

from smpp_client.simulator.counters import Counters
from smpp_client.simulator.faults import Faults
from smpp_client.simulator.message_ids import written
from smpp_client.simulator.pdus import DELIVERED, UNDELIVERABLE, Submit, receipt_body

# Receipts due within the same 10 ms go out together: one timer, not one per receipt.
_TICKS_PER_SECOND = 100
_HAS_HEADER = 0x40
_UNLESS_GSM = 0x0F


class Receiver(Protocol):
    """A bound session that takes deliver_sm."""

    def room(self) -> int:
        """How many more deliver_sm it takes now."""

    def deliver(self, bodies: list[bytes]) -> None:
        """Send one deliver_sm for each body and remember it until it is acknowledged."""


class Account:
    """All that one system_id has: its receivers and what waits for them."""

    def __init__(self) -> None:
        self.receivers: deque[Receiver] = deque()
        self.waiting: deque[bytes] = deque()

    def pump(self) -> None:
        """Send what waits as far as the windows allow, each receiver first in turn."""
        for _ in range(len(self.receivers)):
            if not self.waiting:
                return
            receiver = self.receivers[0]
            self.receivers.rotate(-1)
            count = min(receiver.room(), len(self.waiting))
            if count > 0:
                receiver.deliver([self.waiting.popleft() for _ in range(count)])

    def push(self, bodies: list[bytes]) -> None:
        """Send at once, whatever the window says; they wait when no receiver is bound."""
        if self.receivers:
            self.receivers[0].deliver(bodies)
        else:
            self.waiting.extend(bodies)


class Calendar:
    """Bodies of deliver_sm by the moment when they are due. It sets a timer only while any wait."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[int, list[tuple[Account, list[bytes]]]] = {}
        self._ticks: list[int] = []
        self._timer: TimerHandle | None = None

    def add(self, account: Account, bodies: list[bytes], seconds: float) -> None:
        """Let the bodies go to the account's receivers after `seconds`, at the next 10 ms."""
        tick = int((self._loop.time() + seconds) * _TICKS_PER_SECOND) + 1
        if tick in self._due:
            self._due[tick].append((account, bodies))
            return
        self._due[tick] = [(account, bodies)]
        heapq.heappush(self._ticks, tick)
        if self._ticks[0] == tick:
            self._set_timer()

    def count(self) -> int:
        """How many bodies are not due yet."""
        return sum(len(bodies) for due in self._due.values() for _, bodies in due)

    def close(self) -> None:
        """Forget everything and stop the timer."""
        self._due.clear()
        self._ticks.clear()
        if self._timer:
            self._timer.cancel()

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._ticks[0] / _TICKS_PER_SECOND, self._turn)

    def _turn(self) -> None:
        now = self._loop.time() * _TICKS_PER_SECOND + 0.01
        accounts: dict[int, Account] = {}
        while self._ticks and self._ticks[0] <= now:
            for account, bodies in self._due.pop(heapq.heappop(self._ticks)):
                account.waiting.extend(bodies)
                accounts[id(account)] = account
        self._timer = None
        if self._ticks:
            self._set_timer()
        for account in accounts.values():
            account.pump()


class Receipts:
    """Makes the receipts of accepted submits and hands them to the calendar."""

    def __init__(self, calendar: Calendar, counters: Counters) -> None:
        self._calendar = calendar
        self._counters = counters
        self._undelivered = 0.0

    def body(self, submit: Submit, number: int, at: float, faults: Faults) -> bytes | None:
        """Build the receipt of a message, None when the submit asked for none (5.2.17)."""
        is_delivered = self._is_delivered(faults)
        wanted = submit.registered & 0x03
        if wanted == 0 or (wanted == 2 and is_delivered) or (wanted == 3 and not is_delivered):
            return None
        form = faults.message_id if faults.receipt_id == "same" else faults.receipt_id
        message_id = written(number, form)
        dates = _dates(int(at) // 60, int(at + faults.receipt_delay) // 60)
        text = _text(submit, message_id, dates, is_delivered=is_delivered)
        state = DELIVERED if is_delivered else UNDELIVERABLE
        return receipt_body(submit, message_id, text, state)

    def schedule(self, account: Account, bodies: list[bytes], faults: Faults) -> None:
        """Put new receipts into the calendar, each with its own jitter when there is any."""
        copies = bodies * 2 if faults.duplicate_receipts else bodies
        if not faults.receipt_jitter:
            self._calendar.add(account, copies, faults.receipt_delay)
            return
        for body in copies:
            late = random.uniform(0, faults.receipt_jitter)  # noqa: S311 - a delay, no secret
            self._calendar.add(account, [body], faults.receipt_delay + late)

    def retry(self, account: Account, body: bytes, faults: Faults) -> None:
        """Send a receipt that was refused again, later."""
        self._calendar.add(account, [body], faults.receipt_retry)

    def _is_delivered(self, faults: Faults) -> bool:
        """Spread the undeliverable ones evenly: 25 percent is every fourth message."""
        self._undelivered += faults.undeliverable_percent
        if self._undelivered < 100:
            return True
        self._undelivered -= 100
        return False


def _text(submit: Submit, message_id: bytes, dates: bytes, *, is_delivered: bool) -> bytes:
    """Write the usual receipt text (appendix B), with the first 20 characters of a GSM text."""
    result = b"001 %b stat:DELIVRD err:000" if is_delivered else b"000 %b stat:UNDELIV err:001"
    is_readable = not (submit.coding & _UNLESS_GSM or submit.esm_class & _HAS_HEADER)
    opening = submit.text[:20] if is_readable else b""
    return b"id:%b sub:001 dlvrd:%b text:%b" % (
        message_id,
        result % dates,
        opening,
    )


@lru_cache(maxsize=64)
def _dates(submitted: int, done: int) -> bytes:
    """Write two minutes since 1970 as the receipt's dates, in UTC."""
    form = "%y%m%d%H%M"
    return (
        f"submit date:{time.strftime(form, time.gmtime(submitted * 60))} "
        f"done date:{time.strftime(form, time.gmtime(done * 60))}"
    ).encode()

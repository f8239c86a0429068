"""The process of one custom carrier: `python -m smpp_client.engine.adapters.host FD`.

It knows neither the database nor the installation's keys. One thread makes all calls into the
carrier; another reads orders; what the carrier tells goes out from whatever thread tells it.
"""

import contextlib
import ctypes
import os
import pickle
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any

from smpp_client.carrier import Receipt, Segment
from smpp_client.carrier.adapters import (
    GROUP,
    Acknowledge,
    Callbacks,
    Carrier,
    CarrierDown,
    CarrierSettings,
    Message,
    NotTaken,
)
from smpp_client.engine.adapters.frames import (
    Nonsense,
    line_of,
    message_line,
    outcome_line,
    receipt_line,
)
from smpp_client.engine.clock import lease_now

LOOK_SECONDS = 0.1
PR_SET_PDEATHSIG = 1
# The sender goes first on a busy machine.
NICE = 5


class Host:
    """Runs one carrier until it is told to close, or until there is no far end."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._writing = threading.Lock()
        self._orders: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._waiting: dict[int, Acknowledge] = {}
        self._last_ticket = 0
        self._given = 0
        self._carrier: Carrier | None = None

    def run(self) -> None:
        """Obey orders in turn."""
        threading.Thread(target=self._read, daemon=True).start()
        obey = {
            "open": self._open,
            "submit": self._submit,
            "acknowledge": self._acknowledge,
            "close": self._close,
        }
        while True:
            try:
                word, values = self._orders.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                word, values = "", None
            self._guarded(word, lambda: obey[word](values) if word else None)  # noqa: B023
            self._guarded("free", self._look)

    def _guarded(self, word: str, act: Callable[[], None]) -> None:
        try:
            act()
        except CarrierDown as down:
            self._end("down", str(down))
        except BaseException as error:
            self._end("raised", f"{type(error).__name__} in {word}")

    def _end(self, word: str, sentence: str) -> None:
        self._tell(line_of(word, sentence[:200]))
        os._exit(1)

    # Orders

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._wire.makefile("rb") as orders:
            while head := orders.read(4):
                self._orders.put(pickle.loads(orders.read(int.from_bytes(head, "big"))))  # noqa: S301
        os._exit(0)

    def _open(self, told: tuple[str, CarrierSettings]) -> None:
        name, settings = told
        found = list(entry_points(group=GROUP, name=name))
        if not found:
            raise CarrierDown(f"No carrier “{name}” is installed.")
        carrier: Carrier = found[0].load()(settings)
        carrier.open(Callbacks(self._on_receipt, self._on_message, self._on_down))
        self._carrier = carrier
        self._tell(line_of("opened"))

    def _submit(self, told: tuple[Sequence[Segment], float]) -> None:
        segments, until = told
        self._given += len(segments)
        if self._carrier is None or lease_now() >= until:
            self._not_taken(segments, "the lease ran out before it was sent")
            return
        try:
            self._carrier.submit(segments, self._on_outcome)
        except NotTaken as refused:
            self._not_taken(segments, str(refused))

    def _not_taken(self, segments: Sequence[Segment], why: str) -> None:
        keys = [one.key for one in segments]
        names = [[key.batch_id, key.campaign_id, key.position, key.part] for key in keys]
        self._tell(line_of("not_taken", why[:200]))
        for at in range(0, len(names), 200):
            self._tell(line_of("released", names[at : at + 200]))

    def _acknowledge(self, told: tuple[int, bool]) -> None:
        ticket, is_stored = told
        acknowledge = self._waiting.pop(ticket, None)
        if acknowledge is not None:
            acknowledge(is_stored)

    def _close(self, _nothing: object) -> None:
        if self._carrier is not None:
            self._carrier.close()
        self._end("closed", "")

    def _look(self) -> None:
        if self._carrier is None:
            return
        free, health = self._carrier.free, self._carrier.health
        try:
            self._tell(line_of("state", self._given, free, health))
        except Nonsense as nonsense:
            self._tell(line_of("nonsense", str(nonsense)))

    # What the carrier tells

    def _on_outcome(self, outcome: object) -> None:
        self._try(lambda: outcome_line(outcome))

    def _on_receipt(self, receipt: Receipt, acknowledge: Acknowledge) -> None:
        self._try(lambda: receipt_line(self._ticket(acknowledge), receipt))

    def _on_message(self, message: Message, acknowledge: Acknowledge) -> None:
        self._try(lambda: message_line(self._ticket(acknowledge), message))

    def _on_down(self, sentence: str) -> None:
        self._end("down", str(sentence))

    def _ticket(self, acknowledge: Acknowledge) -> int:
        with self._writing:
            self._last_ticket = self._last_ticket % 0x7FFFFFFF + 1
            self._waiting[self._last_ticket] = acknowledge
            return self._last_ticket

    def _try(self, make: Callable[[], bytes]) -> None:
        try:
            line = make()
        except Exception as error:
            line = line_of("nonsense", str(error)[:200])
        self._tell(line)

    def _tell(self, line: bytes) -> None:
        with self._writing, contextlib.suppress(OSError):
            self._wire.sendall(line)


def main() -> None:
    """Serve the socket whose file descriptor is the first argument."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    Host(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()

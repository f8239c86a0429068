"""A carrier that speaks JSON lines over TCP, and can be told to misbehave.

Each message is one line to the far end, `{"n": 1, "to": ..., "from": ..., "octets": ...}`. The far
end answers `{"n": 1, "id": ...}` or `{"n": 1, "error": ...}`, and later brings
`{"receipt": 7, "id": ..., "state": ...}`, which is answered with `{"stored": 7}` once it is kept.
Subscribers' messages come as `{"message": 3, "from": ..., "to": ..., "text": ...}`, answered with
`{"stored": -3}`.
"""

import base64
import json
import os
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smpp_client.carrier import Address, Kind, Outcome, Receipt, Segment, SegmentKey
from smpp_client.carrier.adapters import (
    Callbacks,
    CarrierDown,
    CarrierSettings,
    Message,
    NotTaken,
    OnOutcome,
)

NOBODY = SegmentKey(1, 1, 1, 1)


class LineCarrier:
    """One session over one TCP connection.

    The option `mood` names a file; the word in it says how to misbehave: `hang`, `raise`,
    `nonsense`, `not_taken`, `down`, `die`. No file, or an empty one, is good behaviour.
    """

    def __init__(self, settings: CarrierSettings) -> None:
        self._settings = settings
        self._mood_file = Path(str(settings.options["mood"]))
        self._writing = threading.Lock()
        self._open: dict[int, tuple[Segment, OnOutcome]] = {}
        self._last = 0
        self._wire: socket.socket | None = None
        self._callbacks: Callbacks | None = None

    @property
    def _mood(self) -> str:
        return self._mood_file.read_text().strip() if self._mood_file.exists() else ""

    # What Message Center calls

    def open(self, callbacks: Callbacks) -> None:
        """Log in with the account and its secret."""
        self._callbacks = callbacks
        try:
            self._wire = socket.create_connection((self._settings.host, self._settings.port), 5)
        except OSError as error:
            raise CarrierDown(f"The far end does not answer: {error.strerror}.") from error
        self._wire.settimeout(None)
        self._say({"account": self._settings.account, "secret": self._settings.secret})
        threading.Thread(target=self._listen, args=(self._wire,), daemon=True).start()

    def close(self) -> None:
        """Hang up."""
        if self._wire is not None:
            self._wire.close()

    @property
    def free(self) -> int:
        """What the window leaves."""
        return -5 if self._mood == "nonsense" else self._settings.window - len(self._open)

    @property
    def health(self) -> str:
        """Say when half the window waits."""
        return "The far end is slow." if len(self._open) * 2 > self._settings.window else ""

    def submit(self, segments: Sequence[Segment], on_outcome: OnOutcome) -> None:
        """Write each segment as a line, or misbehave."""
        mood = self._mood
        if mood == "not_taken":
            raise NotTaken("The far end is full.")
        for number, segment in enumerate(segments):
            if mood and number == len(segments) // 2:
                self._misbehave(mood, segment, on_outcome)
            self._write(segment, on_outcome)

    # The far end

    def _write(self, segment: Segment, on_outcome: OnOutcome) -> None:
        self._last += 1
        self._open[self._last] = (segment, on_outcome)
        self._say(
            {
                "n": self._last,
                "to": segment.destination.value,
                "from": segment.source.value,
                "octets": base64.b64encode(segment.short_message).decode(),
            }
        )

    def _say(self, what: dict[str, Any]) -> None:
        assert self._wire is not None
        with self._writing:
            self._wire.sendall(json.dumps(what).encode() + b"\n")

    def _listen(self, wire: socket.socket) -> None:
        assert self._callbacks is not None
        try:
            with wire.makefile("rb") as lines:
                for line in lines:
                    self._take(json.loads(line), self._callbacks)
        except OSError:
            pass
        self._callbacks.on_down("The far end hung up.")

    def _take(self, told: dict[str, Any], callbacks: Callbacks) -> None:
        now = datetime.now(UTC)
        if "receipt" in told:
            number = int(told["receipt"])
            receipt = Receipt(told["id"], told["state"], "000", now, json.dumps(told).encode())
            callbacks.on_receipt(receipt, lambda is_kept: self._thank(number, is_kept=is_kept))
            return
        if "message" in told:
            ends = (Address(1, 1, told["from"]), Address(3, 0, told["to"]))
            message = Message(*ends, told["text"], json.dumps(told).encode())
            number = -int(told["message"])
            callbacks.on_message(message, lambda is_kept: self._thank(number, is_kept=is_kept))
            return
        segment, on_outcome = self._open.pop(int(told["n"]))
        kind = Kind.SUBMITTED if "id" in told else Kind.REFUSED
        on_outcome(
            Outcome(
                segment.key,
                segment.part_count,
                kind,
                now,
                smsc_id=told.get("id", ""),
                cause=told.get("error", ""),
            )
        )

    def _thank(self, number: int, *, is_kept: bool) -> None:
        if is_kept:
            self._say({"stored": number})

    # Bad behaviour

    def _misbehave(self, mood: str, segment: Segment, on_outcome: OnOutcome) -> None:
        if mood == "hang":
            while True:  # the worst kind: it burns its processor as well
                pass
        if mood == "raise":
            raise ZeroDivisionError("a bug")
        if mood == "down":
            raise CarrierDown("The far end is being repaired.")
        if mood == "die":
            os._exit(3)
        self._talk_nonsense(segment, on_outcome)

    def _talk_nonsense(self, segment: Segment, on_outcome: Any) -> None:
        """Everything that is not an outcome of a segment that it was given."""
        now = datetime.now(UTC)
        foreign = Outcome(NOBODY, 1, Kind.SUBMITTED, now, smsc_id="never-given")
        assert self._callbacks is not None
        for what in (
            None,
            "submitted",
            {"key": 1},
            foreign,
            Outcome(segment.key, 1, "splendid", now),  # type: ignore[arg-type]
            Outcome(segment.key, 1, Kind.SUBMITTED, now, status="ok"),  # type: ignore[arg-type]
            Outcome(segment.key, 1, Kind.SUBMITTED, now, smsc_id="nul\0and\ud800half"),
            Outcome(segment.key, 1, Kind.SUBMITTED, now, smsc_id="x" * 100_000),
            Outcome(SegmentKey("a", None, -1, 2.5), 1, Kind.SUBMITTED, now),  # type: ignore[arg-type]
        ):
            on_outcome(what)
        self._callbacks.on_receipt(
            Receipt("x\0", "wonderful", "000", now, b"raw"), lambda _kept: None
        )

"""When a checkpoint goes outside again, and what is handed over."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from audit.rules.clock import AHEAD, is_ahead

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(minutes=30)
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://[^\s<>\"']+", re.IGNORECASE)
_MAILBOX = re.compile(r"[^\s<>\"'(),;\[\]{}]+@(?=\w)")


class AnchorRefused(RuntimeError):
    """The other side said no, or gave what cannot be believed: a person must look. A sentence."""


class Unreachable(RuntimeError):
    """The other side gave no answer; it is tried again. A sentence."""


@dataclass(frozen=True)
class SignedCheckpoint:
    """The newest signed checkpoint. `note` is it as it is stored; `at` is its epoch's time.

    `proof` returns the consistency proof (hashes) from so many epochs up to this checkpoint.
    """

    epoch: int
    at: datetime
    note: str
    proof: Callable[[int], Sequence[bytes]]

    @property
    def size(self) -> int:
        """Return the number of epochs that it covers."""
        return self.epoch + 1


@dataclass(frozen=True)
class Expected:
    """An anchor as the settings want it: its receipts may be so old, and `patience` at the most."""

    name: str
    kind: str
    period: timedelta
    patience: timedelta


@dataclass(frozen=True)
class Last:
    """The last receipt of an anchor: for which epoch, what it gave, and when."""

    epoch: int
    content: bytes
    made_at: datetime


@dataclass(frozen=True)
class Given:
    """What an anchor gave: the receipt's bytes, and the other side's time when it says one."""

    content: bytes
    attested_at: datetime | None = None


def plain(sentence: str) -> str:
    """Return what an anchor said as it may stand in the log, which forgets nothing.

    Of a URL scheme, host and port stay, of a mailbox its domain: no credentials, queries, people.
    """
    return _MAILBOX.sub("…@", _URL.sub(_place, sentence))


def _place(url: re.Match[str]) -> str:
    try:
        parts = urlsplit(url[0])
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"{url[1]}://…"
    end = ":" if url[0].endswith(":") else ""
    return f"{parts.scheme}://{parts.hostname or '…'}{port}{end}"


def pause_after(try_count: int) -> timedelta:
    """Return how long to wait after so many tries without a receipt: a minute, doubling to 30."""
    doubled: timedelta = _FIRST_PAUSE * 2 ** min(try_count - 1, 10)
    return min(doubled, _LONGEST_PAUSE)


def wants(last: Last | None, epoch: int, *, period: timedelta, now: datetime) -> bool:
    """Say whether the checkpoint of `epoch` should go out: a newer one, and the period is over."""
    if last is None or epoch <= last.epoch:
        return last is None
    return now - last.made_at >= period or is_ahead(last.made_at, now)


def is_free(next_try_at: datetime, now: datetime) -> bool:
    """Say whether the next try may begin: it is time, or a clock that was ahead put it off."""
    return next_try_at <= now or is_ahead(next_try_at, now + _LONGEST_PAUSE)


def believed(given: Given, checkpoint: SignedCheckpoint) -> Given:
    """Return what an anchor gave, if its own time is not long before the checkpoint's.

    Raises AnchorRefused: a clock of ours is ahead, and a verifier refuses every bundle with it.
    """
    at = given.attested_at
    if at is not None and checkpoint.at - at > AHEAD:
        ahead = f"{(checkpoint.at - at).total_seconds():,.0f} s"
        raise AnchorRefused(f"Its time is {ahead} before the checkpoint's: our clock is ahead.")
    return given

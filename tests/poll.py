"""Waiting for something that another process does, with a deadline instead of a guess."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooLate(AssertionError):
    """Something did not happen in time, as on a busy machine; whatever else fails is no matter of
    time.
    """


def poll(predicate: Callable[[], T], timeout: float = 10, message: str = "") -> T:
    """Return the first true value of the predicate; fail the test after so many seconds."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise TooLate(f"Not within {timeout:g} s: {message or predicate}")
        time.sleep(0.02)
    return value

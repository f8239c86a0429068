"""Waiting for something that another process does, with a deadline instead of a guess."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooLate(AssertionError):
    """Something did not happen in time, as on a busy machine; whatever else fails is no matter of
    time.
    """


# Seconds between looks: often at first, and less so where it takes long, for a look is a query of
# the database that the test waits for.
SHORTEST, LONGEST, GROWTH = 0.02, 0.1, 1.1


def poll(predicate: Callable[[], T], timeout: float = 10, message: str = "") -> T:
    """Return the first true value of the predicate; fail the test after so many seconds."""
    deadline = time.monotonic() + timeout
    pause = SHORTEST
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise TooLate(f"Not within {timeout:g} s: {message or predicate}")
        time.sleep(pause)
        pause = min(pause * GROWTH, LONGEST)
    return value

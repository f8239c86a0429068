"""How the long-running commands end: SIGTERM and SIGINT ask, the loop looks."""

import signal
import threading
from typing import Any


class Stop:
    """Whether somebody asked this process to stop. Made once, in the main thread."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    @property
    def is_asked(self) -> bool:
        """Say whether to stop now."""
        return self._asked.is_set()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until asked."""
        self._asked.wait(seconds)

    def _ask(self, *_: Any) -> None:
        self._asked.set()

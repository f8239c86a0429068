"""Whether a peer that is there has stopped answering what is submitted."""

from collections.abc import Callable

from smpp_client.protocol.events import Event, PeerAnswers, PeerSilent


class Silence:
    """Watches the answers to segments: who answers enquire_link may still answer no submit_sm.

    A response timer that runs out while none came to anything is a silence. One segment at a time
    goes out while it lasts, as a probe: it costs a window, and then one segment for each timer.
    Any answer to a segment ends it, one that is late too. Times are monotonic seconds.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self.is_on = False
        self._answered_at = float("-inf")
        self._emit = emit

    def answered(self, now: float) -> None:
        """Note the answer to a segment that was open, or has been given up."""
        self._answered_at = now
        if self.is_on:
            self.is_on = False
            self._emit(PeerAnswers())

    def gave_up(self, timeout: float, now: float) -> None:
        """Note that a segment had no answer for its whole timer."""
        if not self.is_on and now - self._answered_at >= timeout:
            self.is_on = True
            self._emit(PeerSilent(timeout))

    def room(self, room: int, in_flight: int) -> int:
        """Return how much of the window's room may be used."""
        return min(room, max(1 - in_flight, 0)) if self.is_on else room

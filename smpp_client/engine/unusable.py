"""Connections whose rows cannot be used as they are stored: shown as down, the reason told once."""

from collections.abc import Sequence
from datetime import datetime

from smpp_client.engine.accounts import Unusable
from smpp_client.engine.board import Board


class UnusableBoard:
    """Remembers since when which connection has been unusable, and why.

    Every call belongs on a database thread.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._since: dict[int, tuple[str, datetime]] = {}

    def show(self, found: Sequence[Unusable], now: datetime) -> None:
        """Write down all that are unusable now. Raises psycopg.Error."""
        before = self._since
        self._since = {one.id: before.get(one.id, ("", now)) for one in found}
        for one in found:
            sentence, since = self._since[one.id]
            if sentence != one.sentence:
                since = now
                self._board.tell(one.id, "unusable", one.sentence, now)
                self._since[one.id] = (one.sentence, since)
            self._board.show_without_slot(one.id, one.sentence, since, now)

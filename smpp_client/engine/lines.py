"""What a slot needs of its line to the far end, be it an SMPP session or a custom carrier."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from smpp_client.carrier import Segment
from smpp_client.engine.guarded import Deadline
from smpp_client.engine.wire import OnEvent


class Flow(Protocol):
    """How full a line is, in segments."""

    @property
    def free(self) -> int:
        """How many may be submitted now."""

    @property
    def in_flight(self) -> int:
        """How many wait for their outcome."""


class Line(Protocol):
    """One session. It tells what happens as events of smpp_client.protocol, Closed once at last."""

    @property
    def session(self) -> Flow:
        """How full it is."""

    @property
    def is_closed(self) -> asyncio.Event:
        """Set when it is over."""

    def submit(self, segments: Sequence[Segment]) -> None:
        """Send segments; each gets one outcome, as an event."""

    def acknowledge(self, ticket: int, is_stored: bool) -> None:
        """Answer a delivery."""

    def unbind(self) -> None:
        """Submit no more, wait for outcomes, close."""

    def drop(self, reason: str) -> None:
        """End at once."""


class LineMaker(Protocol):
    """Opens lines of one connection."""

    @property
    def certificate_ends_at(self) -> datetime | None:
        """When our certificate in use expires."""

    def look_at_certificates(self) -> str:
        """Take new files when they are still; return the sentence that tells of it, or ""."""

    async def dial(self, on_event: OnEvent, deadline: Deadline) -> Line:
        """Open a line whose events go to `on_event`. Raises NoSession.

        Nothing is submitted past `deadline()`, in seconds of lease_now.
        """

"""What all slots of a process share, and two small ways to wait."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from smpp_client.carrier import Desk
from smpp_client.engine.board import Board
from smpp_client.engine.crew import Crew
from smpp_client.engine.leases import Leases
from smpp_client.engine.tls import Keepers

T = TypeVar("T")


@dataclass(frozen=True)
class Tools:
    """What every slot shares: desk, leases, board, and the database threads."""

    desk: Desk
    leases: Leases
    board: Board
    claims: Executor
    outcomes: Executor
    receipts: Executor
    books: Executor
    renew_seconds: float
    # Set when receipts were stored that could not be applied at once.
    receipts_left: asyncio.Event
    keepers: Keepers = field(default_factory=Keepers)
    # How many slots of each connection this process holds, by the connection's id.
    held_counts: Counter[int] = field(default_factory=Counter)
    turns: dict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    # What feeds the sessions of each connection here.
    crews: dict[int, Crew] = field(default_factory=lambda: defaultdict(Crew))
    # When the next slot of a connection may move to another process, in monotonic seconds.
    moves_at: dict[int, float] = field(default_factory=dict)


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait, but not longer than until the slot is told to stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def in_thread(executor: Executor, act: Callable[..., T], *values: object) -> T:
    """Run what waits for the database on one of the threads that may."""
    return await asyncio.get_running_loop().run_in_executor(executor, act, *values)

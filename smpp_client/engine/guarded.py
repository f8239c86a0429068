"""Sockets that write nothing past a deadline, and how one is connected.

A process may be frozen at any instruction and woken up after its lease has ended, and by then
somebody else may send what it was about to. So the last look at the clock is in the socket's own
`send`, the last Python before the system call: after TLS has encrypted, and for what waited in a
transport's buffer too. What is left is the instant between that look and the system call itself,
some hundred nanoseconds that nobody but the kernel could close. A segment that leaves in it is
unknown by then, and nobody sends it again.
"""

import asyncio
import socket
from asyncio.staggered import staggered_race
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any

from smpp_client.engine.clock import lease_now
from smpp_client.rules.hosts import Host

Deadline = Callable[[], float]
# What getaddrinfo tells: family, kind, protocol, canonical name, address.
Found = tuple[int, int, int, str, tuple[Any, ...]]

# After a name's first address has been silent for this long the next one is tried beside it.
NEXT_ADDRESS_SECONDS = 0.3

_send = socket.socket.send


class LeaseOver(OSError):
    """The deadline has passed: not one octet was written."""


class GuardedSocket(socket.socket):
    """A socket whose `send` raises LeaseOver from its deadline on, in seconds of lease_now."""

    def __init__(self, family: int, kind: int, protocol: int, deadline: Deadline) -> None:
        super().__init__(family, kind, protocol)
        self._deadline = deadline

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Write what the kernel takes at once, and return how many octets."""
        # The deadline first: between the clock and the system call there is nothing but this line.
        deadline = self._deadline()
        if lease_now() >= deadline:
            raise LeaseOver("The lease ran out.")
        return _send(self, data, flags)

    def sendmsg(self, *_: Any) -> int:
        """Refuse the other way to write, which asyncio does not use here."""
        raise NotImplementedError("Only `send` looks at the clock.")


async def connect(host: Host, deadline: Deadline) -> GuardedSocket:
    """Return a socket connected to one of the host's addresses; they are tried in turn, each a
    little after the one before it (RFC 8305). Raises OSError.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        host.name, host.port, type=socket.SOCK_STREAM
    )
    tries = [partial(_connected, one, deadline) for one in in_turn(found)]
    made, _place, errors = await staggered_race(tries, NEXT_ADDRESS_SECONDS)
    if isinstance(made, GuardedSocket):
        return made
    raise next(error for error in errors if error is not None)


def in_turn(found: Iterable[Found]) -> list[Found]:
    """Return the addresses so that families alternate, the resolver's first choice first."""
    families: dict[int, list[Found]] = {}
    for one in found:
        families.setdefault(one[0], []).append(one)
    return [one for row in zip_longest(*families.values()) for one in row if one is not None]


async def _connected(found: Sequence[Any], deadline: Deadline) -> GuardedSocket:
    family, kind, protocol, _name, address = found
    made = GuardedSocket(family, kind, protocol, deadline)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, address)
    except BaseException:
        made.close()
        raise
    return made

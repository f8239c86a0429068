"""Where a peer listens, as people write it: `host:port`, with brackets around an IPv6 address."""

import ipaddress
import re
from typing import Final, NamedTuple

HIGHEST_PORT: Final = 65_535
LONGEST_LABEL: Final = 63
# Labels as RFC 1035, 2.3.4 bounds them: a longer one makes the look-up of the name fail in another
# way than by finding nobody.
_NAME: Final = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9-]{1,63})*\.?"
)
_BRACKETS: Final = re.compile(r"\[([^\[\]]+)\](?::(\d{1,5}))?")


class HostRefused(ValueError):
    """A line that names no host; the sentence says what to change."""


class Host(NamedTuple):
    """A host name or an IP address without brackets, and its port."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


def is_host(text: str) -> bool:
    """Say whether a text is a host name or an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        is_number = text.replace(".", "").isdigit()
        return _NAME.fullmatch(text) is not None and not is_number
    return True


def read_host(line: str, port: int) -> Host:
    """Read one host; `port` counts where the line names none. Raises HostRefused."""
    text = line.strip()
    bracketed = _BRACKETS.fullmatch(text)
    if bracketed:
        name, written = bracketed[1], bracketed[2] or ""
    elif text.count(":") > 1:  # an IPv6 address without brackets has no port
        name, written = text, ""
    else:
        name, _, written = text.partition(":")
        if _ and not written:
            raise HostRefused(f"{text}: name the port after the colon.")
    if not is_host(name) or (bracketed and ":" not in name):
        raise HostRefused(f"{text}: {_what_to_change(name)}")
    return Host(name, _port(text, written, port))


def read_hosts(text: str, port: int) -> tuple[Host, ...]:
    """Read one host a line, in their order; empty lines count nothing. Raises HostRefused."""
    return tuple(read_host(line, port) for line in text.splitlines() if line.strip())


def _what_to_change(name: str) -> str:
    if any(len(label) > LONGEST_LABEL for label in name.split(".")):
        return f"between its dots a host name has at most {LONGEST_LABEL} characters."
    return "write host:port, and an IPv6 address in brackets."


def _port(text: str, written: str, port: int) -> int:
    if not written:
        return port
    if not written.isdigit() or not 1 <= int(written) <= HIGHEST_PORT:
        raise HostRefused(f"{text}: a port is a number from 1 to {HIGHEST_PORT}.")
    return int(written)

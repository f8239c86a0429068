"""Carriers that are installed beside ours: found by entry point, never loaded here."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from smpp_client.carrier.adapters import BUILT_IN, GROUP


@dataclass(frozen=True)
class Installed:
    """One carrier. `package` and `version` are those of the distribution that brings it.

    `trouble` says why a connection cannot use it, empty when it can.
    """

    name: str
    package: str
    version: str
    target: str
    trouble: str = ""


def installed_carriers() -> list[Installed]:
    """Return the carriers that entry points name, ours first, then by name."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, []).append(point)
    ours = Installed(BUILT_IN, "message-center", "", "smpp_client.engine.wire:Wire")
    return [ours, *(_installed(name, points) for name, points in sorted(found.items()))]


def has_carrier(name: str) -> bool:
    """Whether a connection can use a carrier of this name."""
    return any(one.name == name and not one.trouble for one in installed_carriers())


def _installed(name: str, points: list[EntryPoint]) -> Installed:
    point = points[0]
    package = point.dist.name if point.dist else ""
    version = point.dist.version if point.dist else ""
    trouble = ""
    if name == BUILT_IN:
        trouble = "This name is taken by SMPP."
    elif len({one.value for one in points}) > 1:
        trouble = "Two packages bring a carrier of this name."
    return Installed(name, package, version, point.value, trouble)

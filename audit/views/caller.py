"""The caller as these pages need him; the gate hands over its own. Nothing is imported from it."""

from typing import Protocol
from uuid import UUID

from django.http import HttpRequest


class Place(Protocol):
    """A workspace."""

    @property
    def uuid(self) -> UUID: ...
    @property
    def slug(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def zone(self) -> str: ...


class Caller(Protocol):
    """Who asks, inside a workspace."""

    @property
    def here(self) -> Place: ...


class AuditRequest(HttpRequest):
    """A request that has passed the gate."""

    me: Caller

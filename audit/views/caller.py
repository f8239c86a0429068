"""The caller as these pages need him; the gate hands over its own. Nothing is imported from it."""

from typing import Protocol
from uuid import UUID

from django.http import HttpRequest

from audit.rules.events import Actor


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
    @property
    def actor(self) -> Actor: ...
    @property
    def request_id(self) -> str: ...
    def may(self, permission: str, /) -> bool: ...


class AuditRequest(HttpRequest):
    """A request that has passed the gate."""

    me: Caller

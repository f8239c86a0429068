"""One connection that cannot be used does not keep the others from sending."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone

from smpp_client.engine.engine import Engine
from smpp_client.models import Connection, ConnectionEvent
from smpp_client.queries.connections import Observed, Sight, sight_of
from tests import make
from tests.conftest import Database
from tests.poll import poll
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

DEADLINE = 60


class Idle:
    """A desk with nothing to send."""

    def __getattr__(self, _name: str) -> Callable[..., int]:
        return lambda *_values, **_fields: 0


@contextmanager
def running() -> Iterator[None]:
    """Let an engine run in a thread; it must still live at the end."""
    desk: Any = Idle()
    engine = Engine(desk, owner="test:1:a", lease_seconds=4, renew_seconds=1)
    died: list[BaseException] = []

    def run() -> None:
        try:
            engine.run()
        except BaseException as error:  # what ends the sender's process
            died.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
        assert thread.is_alive(), died
    finally:
        engine.stop()
        thread.join(DEADLINE)
    assert died == []


def seen(one: Connection) -> Sight:
    """Return a connection as it is seen now."""
    return sight_of(one, timezone.now())


def is_told_down(one: Connection) -> bool:
    """Whether it is down and its page says why."""
    sight = seen(one)
    return sight.observed is Observed.DOWN and sight.sentence != ""


def test_connections_that_cannot_be_read_are_down_and_the_others_are_dialled(
    database: Database,
) -> None:
    key_queries.keys.cache_clear()
    with scope_everywhere("the test looks at everything"):
        whole, sealed, odd, tabled = (make.connection() for _ in range(4))
        # Ports that nobody listens at: that they were dialled is told by the sentence.
        Connection.objects.update(port=1, plain_until=timezone.now(), plain_reason="a test")
        Connection.objects.filter(pk=sealed.pk).update(password_sealed=b"x" * 40)
        Connection.objects.filter(pk=odd.pk).update(alphabet="ebcdic")
        Connection.objects.filter(pk=tabled.pk).update(status_classes={"0x58": "maybe"})
        with running():
            poll(lambda: all(map(is_told_down, (whole, sealed, odd, tabled))), DEADLINE)
        assert "password does not open" in seen(sealed).sentence
        assert "'ebcdic'" in seen(odd).sentence
        assert "'maybe'" in seen(tabled).sentence
        assert "cannot be read" not in seen(whole).sentence
        told = ConnectionEvent.objects.filter(kind="unusable")
        assert set(told.values_list("connection_id", flat=True)) == {sealed.pk, odd.pk, tabled.pk}
        assert told.count() == 3


def test_a_slot_that_breaks_does_not_end_the_engine(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_queries.keys.cache_clear()
    with scope_everywhere("the test looks at everything"):
        broken = make.connection()
        Connection.objects.update(port=1, plain_until=timezone.now(), plain_reason="a test")
        monkeypatch.setattr("smpp_client.engine.slot.Slot._serve_lease", lambda _self: 1 / 0)
        with running():
            events = ConnectionEvent.objects.filter(connection=broken, kind="failed")
            poll(events.exists, DEADLINE)

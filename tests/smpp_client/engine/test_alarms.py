"""What is told about certificates: an event on the page and an entry in the system's chain."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from message_center.stack.certificates import issue, make_authority
from smpp_client.actions.alarms import CertificateAlarms
from smpp_client.engine import certificates
from smpp_client.engine.accounts import Account
from smpp_client.engine.tls import Keepers
from smpp_client.models import CertificateAlarm, ConnectionEvent
from tests import make
from tests.smpp_client.engine.peers import account
from tests.smpp_client.engine.slots import until
from tests.workspaces.log import ops

pytestmark = pytest.mark.django_db
ALARMS = CertificateAlarms()


def events() -> list[tuple[str, str]]:
    return list(ConnectionEvent.objects.order_by("id").values_list("kind", "sentence"))


def test_a_swap_and_a_refusal_are_told_and_recorded() -> None:
    one, now = make.connection(), timezone.now()
    ALARMS.swapped(one.pk, "New files are in use.", now)
    ALARMS.refused(one.pk, "New files are not used: a wrong key.", now)
    assert events() == [
        ("certificate", "New files are in use."),
        ("alarm", "New files are not used: a wrong key."),
    ]
    assert [op for op, _obj, _diff in ops()][-2:] == ["certificate.swap", "certificate.refuse"]


def test_a_coming_end_is_told_once_for_each_certificate_and_day() -> None:
    one, now = make.connection(), timezone.now()
    ends = now + timedelta(days=6)
    for fingerprint, days in (("aa", 14), ("aa", 7), ("aa", 7), ("bb", 7), ("aa", 7)):
        ALARMS.ending(one.pk, fingerprint, days, ends, now)
    assert CertificateAlarm.objects.count() == 3
    assert [kind for kind, _ in events()] == ["alarm"] * 3
    assert [op for op, _obj, _diff in ops()].count("certificate.expire") == 3
    assert f"within 7 days, on {ends:%-d %b %Y}" in events()[1][1]


def test_an_end_that_is_there_says_what_follows() -> None:
    one, now = make.connection(), timezone.now()
    ALARMS.ending(one.pk, "aa", 0, now, now)
    assert "will refuse the next bind" in events()[0][1]


class Told:
    """Takes the place of the database; it is away once, at the first word."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, datetime]] = []
        self.is_away = True

    def swapped(self, _connection: int, _sentence: str, _now: datetime) -> None:
        raise AssertionError("no file has changed")

    def refused(self, _connection: int, _sentence: str, _now: datetime) -> None:
        raise AssertionError("no file has changed")

    def ending(
        self, _connection: int, _fingerprint: str, days: int, ends_at: datetime, _now: datetime
    ) -> None:
        """Note it, the second time that it is told."""
        if self.is_away:
            self.is_away = False
            raise OSError("the database is away")
        self.ends.append((days, ends_at))


def test_the_watch_tells_a_coming_end_at_30_14_7_and_1_days_and_at_the_end_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files stay as they are; the days go by. Each of them is looked at several times."""
    began = datetime.now(UTC).replace(microsecond=0)
    ends_at = began + timedelta(days=40)
    authority = make_authority(tmp_path, name="An authority")
    pair = issue(tmp_path, authority, "client", client=True, not_before=began, not_after=ends_at)
    one, told, looks = account(authority.path, pair.cert, pair.key, 1), Told(), [0]
    clock = [began]

    def accounts() -> Iterator[Account]:
        looks[0] += 1
        yield one

    async def days_go_by() -> None:
        watch = certificates.CertificateWatch(Keepers(), told, None)
        running = asyncio.create_task(watch.run(lambda: list(accounts())))
        for left in (31, 30, 29, 14, 10, 7, 2, 1, 0.5, 0):
            clock[0] = ends_at - timedelta(days=left)
            looks[0] = 0
            await until(lambda: looks[0] > 3)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    monkeypatch.setattr(certificates, "LOOK_SECONDS", 0.002)
    monkeypatch.setattr(certificates, "utc_now", lambda: clock[0])
    asyncio.run(days_go_by())
    assert told.ends == [(days, ends_at) for days in (30, 14, 7, 1, 0)]

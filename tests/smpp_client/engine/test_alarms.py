"""What is told about certificates: an event on the page and an entry in the system's chain."""

from datetime import timedelta

import pytest
from django.utils import timezone

from smpp_client.actions.alarms import CertificateAlarms
from smpp_client.models import CertificateAlarm, ConnectionEvent
from tests import make
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

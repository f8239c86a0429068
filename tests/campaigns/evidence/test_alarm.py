"""When sealing stalls, the log, the diagnostics and the page of evidence say so."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.actions.sealing_alarm import tell_unsealed
from campaigns.queries import installation_parts as parts
from campaigns.rules.findings import Finding
from campaigns.tasks.evidence import watch
from tests.campaigns.evidence.ground import Sealed
from tests.workspaces import make as people
from tests.workspaces.log import entries
from workspaces.scope import scope_everywhere


@pytest.fixture
def begun(sealed: Sealed) -> Sealed:
    """A pass at the beginning; what an earlier test told is over."""
    sealed.seal()
    tell_unsealed(sealed.now)
    return sealed


def alarms() -> list[dict[str, Any]]:
    return [one for one in entries() if one["op"] == "messages.late"]


def finding(begun: Sealed, hours: float) -> Finding:
    with scope_everywhere("diagnostics"):
        return parts.sealing(begun.now + timedelta(hours=hours))


def told(begun: Sealed, hours: float) -> bool:
    return tell_unsealed(begun.now + timedelta(hours=hours))


def test_an_hour_that_was_left_out_raises_the_alarm_once(begun: Sealed) -> None:
    before = len(alarms())
    assert [told(begun, hours) for hours in (1.9, 2.1, 3)] == [False, True, False]
    (alarm,) = alarms()[before:]
    since = f"{begun.now:%Y-%m-%d %H:%M}"
    assert (alarm["res"], alarm["act"]["id"]) == ("failed", "sealer")
    assert alarm["why"].startswith(f"What became of messages has not been sealed since {since} UTC")


def test_after_a_pass_it_can_be_raised_again(begun: Sealed) -> None:
    assert told(begun, 3)
    begun.seal(hours=3)
    assert [told(begun, hours) for hours in (3, 4, 6)] == [False, False, True]


def test_the_diagnostics_say_how_old_the_last_pass_is(begun: Sealed) -> None:
    assert finding(begun, 0.5).sentence == "Everything up to 30 min ago is sealed."
    late = finding(begun, 5)
    assert (late.tone, late.sentence[:38]) == ("bad", "Nothing has been sealed for 5 hours: t")


def test_a_transaction_that_nobody_ends_holds_sealing_back(begun: Sealed) -> None:
    """Passes come each hour and seal nothing of what was written since it began."""
    forgotten = begun.connect("app")
    forgotten.execute("BEGIN")
    forgotten.execute("SELECT pg_current_xact_id()")
    begun.send(rows=2)
    assert [begun.seal(hours=hours) for hours in (1, 2, 3, 4)] == [0, 0, 0, 0]
    assert finding(begun, 2.9).tone == "ok"
    assert finding(begun, 4).sentence.startswith("Nothing has been sealed for 3 hours:")
    assert told(begun, 4)
    forgotten.execute("COMMIT")
    assert begun.seal(hours=5) == 2
    assert finding(begun, 5).sentence == "Everything up to 0 min ago is sealed."


def test_before_the_first_pass_the_age_of_the_installation_counts(sealed: Sealed) -> None:
    with scope_everywhere("diagnostics"):
        young, old = (parts.sealing(timezone.now() + timedelta(hours=n)) for n in (0, 3))
    assert (young.tone, old.tone) == ("ok", "bad")


@pytest.fixture
def behind(sealed: Sealed) -> Sealed:
    """The last pass was three hours ago by the clock."""
    sealed.now = timezone.now() - timedelta(hours=3)
    sealed.seal()
    tell_unsealed(sealed.now)
    return sealed


def test_the_page_of_evidence_says_that_sealing_is_overdue(behind: Sealed) -> None:
    client, address = people.signed_in(behind.admin.user), f"/w/{behind.place.slug}/messages/"
    assert "Sealing is overdue" in client.get(f"{address}evidence/").content.decode()
    behind.seal(hours=3)
    assert "Sealing is overdue" not in client.get(f"{address}evidence/").content.decode()


def test_the_sweep_watches(behind: Sealed) -> None:
    before = len(alarms())
    watch()
    watch()
    assert len(alarms()) == before + 1

"""The page of a route: tiers, number ranges, shifts; and the weight of a workspace."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from smpp_client.actions.shifts import make_shifts
from smpp_client.models import Connection, Route, RouteConnection, RouteRange, RouteShift
from tests.smpp_client import wires
from tests.smpp_client.test_connection_pages import Answer, text
from tests.workspaces import make
from tests.workspaces.log import entries, ops

HOME = "/platform/routes/main/"


@pytest.fixture
def keeper(db: None) -> Client:
    """A member of the platform team."""
    return make.signed_in(make.user("Olga Nazarova", is_super_admin=True))


@pytest.fixture
def main(tmp_path: Path, db: None) -> Route:
    """A route with everything on smsc-a, and smsc-b beside it."""
    for name in ("smsc-a", "smsc-b"):
        wires.seen(wires.connection(tmp_path / name, name))
    return wires.route("main", smsc_a=1, smsc_b=0)


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    for name in ("smsc-a", "smsc-b"):
        (tmp_path / name).mkdir()


def weights() -> dict[str, int]:
    return dict(RouteConnection.objects.values_list("connection__name", "weight"))


def tiers() -> dict[str, int]:
    return dict(RouteConnection.objects.values_list("connection__name", "tier"))


def last_op() -> str:
    return ops()[-1][0]


def test_a_backup_is_set_and_shown(keeper: Client, main: Route) -> None:
    posted = {"weight_smsc-a": 1, "weight_smsc-b": 1, "tier_smsc-b": 1}
    page = text(keeper.post(HOME, posted, follow=True))
    assert tiers() == {"smsc-a": 0, "smsc-b": 1}
    assert "<b>smsc-b</b> is a backup" in page
    before, after = entries()[-1]["diff"]["tiers"]
    assert before == [["smsc-a", 0], ["smsc-b", 0]]
    assert after == [["smsc-a", 0], ["smsc-b", 1]]


def test_the_share_of_now_follows_what_is_seen(keeper: Client, main: Route) -> None:
    RouteConnection.objects.update(weight=1)
    assert text(keeper.get(HOME)).count(">50 %<") == 4
    lost = Connection.objects.get(name="smsc-a").leases.get().status
    lost.state = "down"
    lost.save()
    page = text(keeper.get(HOME))
    assert ">0 %<" in page
    assert ">100 %<" in page


def add(keeper: Client, digits: str, connection: str = "smsc-b") -> Answer:
    posted = {"digits": digits, "connection": connection}
    return keeper.post(f"{HOME}ranges/add/", posted, follow=True)


def test_a_range_is_added_and_removed(keeper: Client, main: Route) -> None:
    assert "These numbers go out over smsc-b." in text(add(keeper, "+44 7700 9"))
    assert RouteRange.objects.get().prefix == "4477009"
    assert last_op() == "route.range_add"
    page = text(keeper.post(f"{HOME}ranges/4477009/remove/", follow=True))
    assert "go by weight again" in page
    assert last_op() == "route.range_remove"
    again = text(keeper.post(f"{HOME}ranges/4477009/remove/", follow=True))
    assert "no such range any more" in again


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("07700", "first digits of a number with its country code"),
        ("44x", "first digits of a number with its country code"),
        ("4477009000001234", "first digits of a number with its country code"),
        ("", "This field is required"),
    ],
)
def test_a_range_that_cannot_be_is_told_and_stays_typed(
    keeper: Client, main: Route, digits: str, said: str
) -> None:
    page = text(add(keeper, digits))
    assert said in page
    assert f'value="{digits}"' in page or not digits
    assert not RouteRange.objects.exists()


def test_numbers_have_one_connection(keeper: Client, main: Route) -> None:
    add(keeper, "44")
    assert "have a connection already" in text(add(keeper, "44", "smsc-a"))


def test_a_connection_with_a_range_stays_in_its_route(keeper: Client, main: Route) -> None:
    add(keeper, "44")
    page = text(keeper.post(HOME, {"weight_smsc-a": 1}))
    assert "smsc-b has the numbers 44… of this route." in page
    assert weights() == {"smsc-a": 1, "smsc-b": 0}


def shift(keeper: Client, **changes: object) -> Answer:
    posted = {
        "weight_smsc-a": 0,
        "weight_smsc-b": 1,
        "percents": "5, 25, 50, 100",
        "minutes": 10,
        **changes,
    }
    return keeper.post(f"{HOME}shift/", posted, follow=True)


def test_a_shift_is_planned_and_made_by_the_clock(keeper: Client, main: Route) -> None:
    assert "The shift is planned." in text(shift(keeper))
    assert last_op() == "route.shift"
    begun = RouteShift.objects.get().begins_at
    seen = []
    for minutes in (0, 0, 10, 20, 30, 40):
        make_shifts(begun + timedelta(minutes=minutes))
        seen.append(weights()["smsc-b"])
    assert seen == [50, 50, 250, 500, 1, 1]
    assert RouteShift.objects.get().state == "done"
    steps = [row for row in entries() if row["op"] == "route.shift_step"]
    assert len(steps) == 4
    assert {row["act"]["kind"] for row in steps} == {"system"}
    page = text(keeper.get(HOME))
    assert "Done" in page
    assert page.count("made") >= 4


def test_a_sweep_that_slept_makes_the_last_step_that_is_due(keeper: Client, main: Route) -> None:
    shift(keeper)
    make_shifts(RouteShift.objects.get().begins_at + timedelta(minutes=25))
    assert weights() == {"smsc-a": 500, "smsc-b": 500}


def test_a_shift_is_stopped_where_it_is(keeper: Client, main: Route) -> None:
    shift(keeper)
    begun = RouteShift.objects.get().begins_at
    make_shifts(begun)
    assert "is stopped" in text(keeper.post(f"{HOME}shift/stop/", follow=True))
    make_shifts(begun + timedelta(hours=1))
    assert weights() == {"smsc-a": 950, "smsc-b": 50}
    assert "No shift is under way" in text(keeper.post(f"{HOME}shift/stop/", follow=True))


@pytest.mark.parametrize("minutes", [0, 10, 60])
def test_a_shift_is_undone_with_one_press(keeper: Client, main: Route, minutes: int) -> None:
    shift(keeper)
    make_shifts(RouteShift.objects.get().begins_at + timedelta(minutes=minutes))
    assert "back to where the shift began" in text(keeper.post(f"{HOME}shift/undo/", follow=True))
    make_shifts(timezone.now() + timedelta(hours=2))
    assert weights() == {"smsc-a": 1, "smsc-b": 0}
    assert last_op() == "route.shift_undo"
    assert "There is no shift to undo" in text(keeper.post(f"{HOME}shift/undo/", follow=True))


def test_weights_set_since_are_not_undone(keeper: Client, main: Route) -> None:
    shift(keeper)
    make_shifts(RouteShift.objects.get().begins_at + timedelta(hours=1))
    keeper.post(HOME, {"weight_smsc-a": 9, "weight_smsc-b": 1})
    assert "were set since" in text(keeper.post(f"{HOME}shift/undo/", follow=True))


def test_weights_are_not_set_during_a_shift(keeper: Client, main: Route) -> None:
    shift(keeper)
    page = text(keeper.post(HOME, {"weight_smsc-a": 9, "weight_smsc-b": 1}))
    assert "A shift of traffic is under way." in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"percents": "5, 25"}, "Steps climb to 100"),
        ({"percents": "half"}, "Type whole percents"),
        ({"minutes": 0}, "greater than or equal to 1"),
        ({"weight_smsc-b": 0}, "at least one connection"),
        ({"weight_smsc-a": 1, "weight_smsc-b": 0}, "nothing to shift"),
    ],
)
def test_a_shift_that_cannot_be_is_told(
    keeper: Client, main: Route, changes: dict[str, object], said: str
) -> None:
    assert said in text(shift(keeper, **changes))
    assert not RouteShift.objects.exists()


def test_the_weight_of_a_workspace_is_set(keeper: Client) -> None:
    care = make.workspace("care", "Care")
    path = "/platform/workspaces/care/weight/"
    assert "Weight of Care" in text(keeper.get(path))
    assert "less than or equal to 100" in text(keeper.post(path, {"weight": 500}))
    assert "The weight of Care is set." in text(keeper.post(path, {"weight": 3}, follow=True))
    care.refresh_from_db()
    assert care.weight == 3
    assert last_op() == "workspace.weigh"

"""The judge of what call records leave unknown, asked by itself."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from campaigns.models import Batch, Submission
from campaigns.rules.call_records import Stated
from smpp_client.carrier import Segment
from tests.campaigns.sending.ground import Ground, ground
from tests.campaigns.sending.records import bring_ledger
from tests.campaigns.sending.test_receipts import unknown
from tests.chaos.invariants import Broken, Checker
from tests.chaos.ledger import Ledger
from tests.chaos.settling import what_is_left
from tests.conftest import Database
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

NOW = timezone.now()
SENT_AT = NOW - timedelta(minutes=10)
ALL_OF_IT = Stated(NOW - timedelta(hours=1), NOW - timedelta(seconds=1))


@pytest.fixture
def desk(database: Database, settings: Settings, tmp_path: Path) -> Iterator[Ground]:
    key_queries.keys.cache_clear()
    settings.UPLOAD_DIR = tmp_path / "uploads"
    with scope_everywhere("the test looks at everything"):
        made = ground()
        yield made
        made.close()


@pytest.fixture
def checker(database: Database, tmp_path: Path) -> Checker:
    return Checker(database.url("superuser"), Ledger(tmp_path / "ledger.tsv"))


def _sent(desk: Ground) -> Segment:
    """Have one segment sent ten minutes ago of which nothing is known."""
    _campaign, (segment,) = unknown(desk)
    Submission.objects.update(happened_at=SENT_AT)
    Batch.objects.update(opened_at=SENT_AT)
    return segment


def _bring(desk: Ground, checker: Checker, *lines: str) -> None:
    checker.ledger.path.write_text("".join(lines))
    bring_ledger(desk.author, checker.ledger.path, desk.connection, ALL_OF_IT)


def _line(segment: Segment, reference: int, seconds: float = 1, number: str = "") -> str:
    at = SENT_AT + timedelta(seconds=seconds)
    to = number or segment.destination.value
    cells = [f"{at.timestamp():.6f}", "m-1", segment.source.value, to]
    return "\t".join([*cells, *[""] * 7, str(reference)]) + "\n"


def test_unknown_without_records_is_broken(desk: Ground, checker: Checker) -> None:
    _sent(desk)
    with pytest.raises(Broken, match="without a reason"):
        what_is_left(checker)


@pytest.mark.parametrize(("seconds", "number"), [(1, "447700900999"), (9, "")])
def test_complete_records_of_others_or_of_another_time_leave_nothing(
    desk: Ground, checker: Checker, seconds: int, number: str
) -> None:
    segment = _sent(desk)
    _bring(desk, checker, _line(segment, segment.reference + 1, seconds, number))
    assert what_is_left(checker) == []
    # As if settling had forgotten it: those records are no reason.
    Submission.objects.update(kind="unknown")
    with pytest.raises(Broken, match="without a reason"):
        what_is_left(checker)


def test_a_record_of_its_own_leaves_nothing(desk: Ground, checker: Checker) -> None:
    segment = _sent(desk)
    _bring(desk, checker, _line(segment, segment.reference))
    assert what_is_left(checker) == []
    assert Submission.objects.get().smsc_id == "m-1"


def test_a_record_near_it_that_is_of_nobody_is_a_reason(desk: Ground, checker: Checker) -> None:
    segment = _sent(desk)
    _bring(desk, checker, _line(segment, segment.reference + 1))
    [left] = what_is_left(checker)
    assert left[-1] == ["no_match"]


def test_more_records_than_attempts_are_a_reason(desk: Ground, checker: Checker) -> None:
    segment = _sent(desk)
    _bring(desk, checker, _line(segment, 0), _line(segment, 0))
    [left] = what_is_left(checker)
    assert left[-1] == ["more"]

"""An import by the real worker, which is killed in the middle, more than once."""

from pathlib import Path

import pytest
from pytest_django import Settings

from campaigns.models import ListState, RecipientList
from campaigns.tasks.lists import import_list
from tests.campaigns.import_bench import measure
from tests.campaigns.lists import NOW, again, counts, ordered, people
from tests.conftest import Database
from tests.poll import poll
from tests.processes import Processes
from tests.workspaces import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.processes

ROWS = 100_000
KILLS = 3


def long_list() -> bytes:
    """Return rows of the range for fiction, each number 100 times, with a fault in every tenth."""
    lines = ["phone,name"]
    for row in range(ROWS):
        number = "9.98E+11" if row % 10 == 9 else f"07700900{row % 1000:03d}"
        lines.append(f"{number},Name {row}")
    return "\n".join(lines).encode()


@pytest.fixture
def author(processes: Processes, settings: Settings) -> Me:
    settings.UPLOAD_DIR = processes.data / "uploads"
    return make.me_in(make.workspace("care"), Role.AUTHOR)


def test_a_killed_import_goes_on_and_stores_nothing_twice(author: Me, processes: Processes) -> None:
    lst = ordered(author, long_list())
    worker, _beat = processes.start_together("worker", "beat")
    import_list.delay(lst.pk)
    for kill in range(KILLS):
        before = again(lst).next_byte
        # After the first kill nobody helps: beat finds the import once it is LOST_SECONDS old.
        poll(lambda seen=before: again(lst).next_byte > seen, 90)  # type: ignore[misc]
        worker.kill9()
        assert again(lst).state == ListState.IMPORTING
        if kill:
            _look_lost(lst)
        worker.start()
    poll(lambda: again(lst).state == ListState.READY, 120)
    assert counts(again(lst)) == (ROWS, 900, ROWS // 10, ROWS - ROWS // 10 - 900)
    assert [row for row, _number, _values in people(lst)][:3] == [2, 3, 4]
    poll(lambda: list(_files(processes.data)) == [], 10)


def test_memory_stays_flat_however_long_the_list(database: Database, tmp_path: Path) -> None:
    environment = database.ground.environment(database.name) | {"DATA_DIR": str(tmp_path)}
    short, long = measure(environment, 20_000), measure(environment, 100_000)
    assert (long.valid, long.faults, long.duplicates) == (97_501, 500, 1_999)
    assert long.peak_megabytes < 300
    assert long.peak_megabytes - short.peak_megabytes < 40


def _look_lost(lst: RecipientList) -> None:
    """Let the list look as it does when nobody has touched it for a while."""
    with scope(lst.workspace):
        RecipientList.objects.filter(pk=lst.pk).update(touched_at=NOW.replace(year=2020))


def _files(data: Path) -> list[Path]:
    return [path for path in (data / "uploads").rglob("*") if path.is_file()]

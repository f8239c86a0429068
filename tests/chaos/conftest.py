"""Runs only when it is asked for by name: `python -m pytest tests/chaos`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.stage import Stage, build_stage
from tests.processes import Processes
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

HERE = Path(__file__).parent
RATE, ROWS = 150, 4_000
SOAK_RATE, SOAK_ROWS = 500, 25_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --soak, and the seed of a campaign that shall be run again."""
    parser.addoption("--soak", action="store_true", help="the long campaign: a million messages")
    parser.addoption("--seed", type=int, default=20261121, help="decides order and moments")
    parser.addoption("--share", type=float, default=1.0, help="a share of the faults, to try out")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder alone unless an argument names it."""
    named = [Path(word.split("::")[0]).resolve() for word in config.args]
    return None if any(path.is_relative_to(HERE) for path in named) else True


@pytest.fixture
def is_soak(pytestconfig: pytest.Config) -> bool:
    """Whether the long form was asked for."""
    return bool(pytestconfig.getoption("--soak", default=False))


@pytest.fixture
def stage(processes: Processes, tmp_path: Path, is_soak: bool) -> Iterator[Stage]:
    """Everything but the sender."""
    key_queries.keys.cache_clear()
    rate, rows = (SOAK_RATE, SOAK_ROWS) if is_soak else (RATE, ROWS)
    with scope_everywhere("the test looks at everything"):
        made = build_stage(processes, tmp_path / "stage", rate=rate, rows=rows)
        yield made
        made.close()

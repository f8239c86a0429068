"""Runs only when it is asked for by name: `python -m pytest tests/chaos`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.stage import Size, Stage, build_stage
from tests.processes import Processes
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

HERE = Path(__file__).parent
# The SMSC answers after 0.1 s. For hours nobody has a machine to himself: what is late is no fault.
SHORT = Size(rate=150, rows=4_000, window=50, patience=3)
SOAK = Size(rate=1_500, rows=40_000, window=400, patience=15)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --soak, and the seed of a campaign that shall be run again."""
    parser.addoption("--soak", action="store_true", help="the long campaign: a million messages")
    parser.addoption("--seed", type=int, default=20261121, help="decides order and moments")
    parser.addoption("--share", type=float, default=1.0, help="a share of the faults, to try out")
    parser.addoption("--minutes", type=float, default=0.0, help="begin no fault after so many")


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
    size = SOAK if is_soak else SHORT
    with scope_everywhere("the test looks at everything"):
        made = build_stage(processes, tmp_path / "stage", size)
        yield made
        made.close()

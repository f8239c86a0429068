"""The page of failures names tests and faults of the chaos kit that exist."""

import re
from pathlib import Path

from tests.chaos import faults

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| ")]
FAULTS = [row for row in ROWS if len(row) == 3 and row[0].strip() != "fault"]


def test_every_fault_is_shown_by_something_that_exists() -> None:
    assert len(FAULTS) > 30
    for name, _what, shown_by in FAULTS:
        files = re.findall(r"`(tests/[^`]+)`", shown_by)
        kit = re.findall(r"kit: ([\w, ]+)", shown_by)
        named = [word for words in kit for word in re.findall(r"\b[A-Z]\w+", words)]
        assert files or named, name
        assert [file for file in files if not (ROOT / file).exists()] == [], name
        assert [word for word in named if not hasattr(faults, word)] == [], name


def test_every_fault_of_the_kit_is_on_the_page() -> None:
    kinds = {
        name
        for name, value in vars(faults).items()
        if isinstance(value, type) and issubclass(value, faults.Fault) and value is not faults.Fault
    }
    assert {name for name in kinds if name not in PAGE} == set()

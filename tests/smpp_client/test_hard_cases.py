"""Every hard case has its tests, and they are there."""

import re
from pathlib import Path

import pytest

from tests.smpp_client.hard_cases import CASES

TESTS = Path(__file__).parent.parent


def test_all_68_cases_are_in_the_table() -> None:
    assert list(CASES) == list(range(1, 69))


@pytest.mark.parametrize("number", CASES)
def test_each_case_names_tests_that_exist(number: int) -> None:
    _name, tests = CASES[number]
    assert tests
    for test in tests:
        file, _, function = test.partition("::")
        source = (TESTS / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {function}\(", source, re.MULTILINE), test

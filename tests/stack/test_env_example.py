"""`.env.example` lists every setting with its meaning."""

import re

from message_center.stack.product import ROOT
from tests.stack.settings_names import settings_names

LINES = (ROOT / ".env.example").read_text().splitlines()
SETTING = re.compile(r"# ([A-Z][A-Z0-9_]+)=")
ONLY_COMPOSE = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))


def listed() -> dict[str, int]:
    """Return each setting of the file with the number of its line."""
    found = ((number, SETTING.match(line)) for number, line in enumerate(LINES))
    return {match[1]: number for number, match in found if match}


def test_every_setting_of_the_code_is_listed() -> None:
    assert settings_names() - set(listed()) == set()


def test_everything_listed_is_read_by_the_code_or_the_compose_file() -> None:
    assert set(listed()) - settings_names() == ONLY_COMPOSE - settings_names()


def test_every_group_of_settings_has_its_meaning_above() -> None:
    for name, number in listed().items():
        above = number - 1
        while SETTING.match(LINES[above]):
            above -= 1
        assert re.match(r"# \w.+", LINES[above]), name


def test_an_unedited_copy_changes_nothing() -> None:
    assert all(not line or line.startswith("#") for line in LINES)

"""`manage.py audit_fallback`, with the database and without."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connections

from audit.actions.fallback import Fallback, fallback
from audit.rules.fallback import Identity
from tests.audit.conftest import Log
from tests.audit.fallback.ground import AFTER, write, write_until_refused
from tests.audit.make import INSTALL, Connection, open_chains


@pytest.fixture
def folder(settings: LazySettings, tmp_path: Path) -> Fallback:
    settings.AUDIT_FALLBACK_DIR = tmp_path / "fallback"
    settings.AUDIT_FALLBACK_MAX_BYTES = 1_000_000
    found = fallback()
    found.remember(Identity(INSTALL, AFTER))
    return found


def run(*words: str) -> tuple[int, str]:
    """Run the command; return its exit code and what it said."""
    said = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("audit_fallback", *words, stdout=said)
    return int(left.value.code or 0), said.getvalue()


def shown() -> dict[str, Any]:
    code, text = run("status", "--json")
    found: dict[str, Any] = json.loads(text)
    return found | {"code": code}


def test_status_asks_no_database_and_says_that_nothing_waits(folder: Fallback) -> None:
    found = shown()
    assert (found["code"], found["state"], found["lines"]) == (0, "ok", 0)


def test_what_waits_is_a_warning(folder: Fallback) -> None:
    write(folder, 2)
    code, text = run("status")
    assert code == 2
    assert "2 lines, head " in text
    [file] = shown()["files"]
    assert (file["room"], file["lines"], len(file["head"])) == ("open", 2, 64)


def test_an_alarm_is_exit_code_1(folder: Fallback, settings: LazySettings) -> None:
    settings.AUDIT_FALLBACK_MAX_BYTES = 500
    write_until_refused(fallback())
    code, text = run("status")
    assert code == 1
    assert "1 attempt was refused because it could be recorded nowhere" in text


def test_ingest_takes_the_file(
    folder: Fallback, log: Log, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    write(folder, 2)
    code, text = run("ingest")
    assert code == 0
    assert "2 entries taken" in text
    assert superuser.execute("SELECT count(*) FROM audit_event").fetchone() == (3 + 1,)


def test_without_a_database_ingest_says_so(
    folder: Fallback, settings: LazySettings, django_db_blocker: Any
) -> None:
    write(folder, 1)
    wire = connections["default"]
    wire.close()
    before, wire.settings_dict["PORT"] = wire.settings_dict["PORT"], "1"
    try:
        with django_db_blocker.unblock(), pytest.raises(CommandError, match="Nothing was taken"):
            call_command("audit_fallback", "ingest")
    finally:
        wire.settings_dict["PORT"] = before

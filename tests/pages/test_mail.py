"""Where mails go: never into a log that others read, unless it is the demo's."""

import subprocess
import sys

import pytest
from django.conf import LazySettings

from message_center.apps import CONSOLE, check_mail
from message_center.stack.product import ROOT
from tests.ground import Ground

SMTP = "django.core.mail.backends.smtp.EmailBackend"
PROGRAM = "import django; from django.conf import settings; print(settings.EMAIL_BACKEND)"


def program(servers: Ground, *words: str, **changed: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with these words and the product's settings, some of them changed."""
    environment = servers.environment("nowhere") | changed
    words = (sys.executable, *words)
    return subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("debug", "back_end"), [("0", SMTP), ("1", CONSOLE)])
def test_mails_are_sent_unless_it_is_the_demo(servers: Ground, debug: str, back_end: str) -> None:
    done = program(servers, "-c", PROGRAM, DEBUG=debug)
    assert done.stdout.strip() == back_end


@pytest.mark.parametrize(
    ("debug", "back_end", "faults"),
    [(False, CONSOLE, ["mail.E001"]), (True, CONSOLE, []), (False, SMTP, [])],
)
def test_the_console_is_refused_once_debug_is_off(
    settings: LazySettings, debug: bool, back_end: str, faults: list[str]
) -> None:
    settings.DEBUG, settings.EMAIL_BACKEND = debug, back_end
    assert [fault.id for fault in check_mail()] == faults


def test_set_up_refuses_the_console_once_debug_is_off(servers: Ground) -> None:
    done = program(servers, "manage.py", "setup_database", EMAIL_BACKEND=CONSOLE)
    assert done.returncode == 1
    assert "mail.E001" in done.stderr

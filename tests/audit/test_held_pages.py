"""The pages say who outside holds the checkpoints, and what is late or refused."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from pytest_django.fixtures import Settings

from audit.actions.anchors.installed import installed
from audit.actions.anchors.sending import due, send_newest
from audit.queries.status import chain_status
from audit.queries.system import every_chain
from audit.views.held import held
from tests.audit.conftest import Log
from tests.audit.make import MARKETING, NOW
from tests.audit.site import HOUR, Site


@dataclass(frozen=True)
class Chain:
    """What the template needs of a chain; without a slug it is the system's."""

    slug: str


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Site:
    site = Site(log, tmp_path / "audit")
    site.hours(1)
    return site


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> Path:
    """An anchor that works."""
    path = tmp_path / "checkpoints.jsonl"
    path.touch()
    settings.AUDIT_ANCHOR_FILE, settings.DEBUG = str(path), True
    return path


def shown(slug: str = "marketing", *, hours: float = 0.01) -> str:
    """Return the proof as a workspace's page, or the platform's, shows it so many hours on."""
    now = NOW + timedelta(hours=hours)
    with every_chain():
        status = chain_status(MARKETING, now=now)
    context = {"status": status, "held": held(now=now), "chain": Chain(slug)}
    return " ".join(render_to_string("audit/status.html", context).split())


def send(*, hours: float = 0) -> None:
    now = NOW + timedelta(hours=hours)
    [one] = installed()
    due([one], now=now)
    send_newest(one, now=now)


def test_it_says_when_nobody_holds_a_checkpoint(site: Site) -> None:
    assert "Nobody outside holds a checkpoint yet." in shown()
    assert "Set up two anchors." in shown("")


def test_it_names_who_holds_one_and_since_when(site: Site, file: Path) -> None:
    assert "Append-only file, no receipt yet" in shown()
    send()
    page = shown()
    assert "Append-only file, <time" in page
    assert "alert-triangle" not in page


def test_a_refusal_is_a_note_whose_reason_only_the_platform_reads(site: Site, file: Path) -> None:
    file.unlink()
    send()
    assert "</b> refused the last checkpoint. It has never given one." in shown()
    assert str(file) not in shown()
    assert f"There is no file {file}" in shown("")


def test_a_late_receipt_is_a_note(site: Site, file: Path) -> None:
    send()
    assert "for too long" not in shown(hours=3)
    assert "</b> has given no receipt for too long. Last receipt:" in shown(hours=3.1)


def test_an_epoch_without_a_signature_is_said(site: Site) -> None:
    site.sequence(HOUR)
    assert "it refuses to sign" not in shown(hours=1.01)
    page = shown(hours=1.05)
    assert "The next checkpoint is overdue" in page
    assert "the signer does not run, or it refuses to sign" in page

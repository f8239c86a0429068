"""What the demo's processes are told about the one installation on this machine."""

from pathlib import Path

import pytest

from audit.actions.anchors.file import FileAnchor
from audit.rules.anchoring import AnchorRefused, Last, SignedCheckpoint
from message_center.stack.installation import Installation
from message_center.stack.secret_files import SecretFiles
from tests.audit.make import NOW

CHECKPOINT = SignedCheckpoint(epoch=0, at=NOW, note="a note", proof=lambda _size: [])


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """One that is about to start."""
    made = Installation(
        data=tmp_path,
        secrets=SecretFiles(tmp_path / "secrets"),
        urls={"app": "postgresql://app@127.0.0.1/x"},
        redis_url="redis://127.0.0.1:1/0",
        web_port=8000,
        simulator_port=2775,
    )
    made.prepare()
    return made


def test_checkpoints_go_to_a_file_that_gives_receipts(installation: Installation) -> None:
    anchor = FileAnchor(installation.environment("app")["AUDIT_ANCHOR_FILE"], may_be_own=True)
    given = anchor.send(CHECKPOINT, None)
    installation.prepare()
    assert anchor.send(CHECKPOINT, Last(0, given.content, NOW)).content != given.content
    assert len(installation.anchor_file.read_bytes().splitlines()) == 2


def test_a_file_that_was_removed_and_made_again_is_noticed(installation: Installation) -> None:
    anchor = FileAnchor(installation.environment("app")["AUDIT_ANCHOR_FILE"], may_be_own=True)
    given = anchor.send(CHECKPOINT, None)
    installation.anchor_file.unlink()
    installation.prepare()
    with pytest.raises(AnchorRefused, match="was cut"):
        anchor.send(CHECKPOINT, Last(0, given.content, NOW))

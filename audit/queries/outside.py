"""Find what lies outside the database to compare it with: files that the signer or others kept."""

from collections.abc import Sequence
from pathlib import Path

from audit.rules.findings import Outside
from audit.rules.memory import BadMemory, Memory, read_memory
from audit.rules.notes import (
    BadNote,
    BadSignature,
    Checkpoint,
    VerifierKey,
    read_checkpoint,
    read_key,
    read_note,
    read_signed_checkpoint,
)


class BadHeld(ValueError):
    """A file to compare with cannot be used; the sentence says why."""


def look_outside(folder: Path, secret: Path, held: Path | None) -> Outside:
    """Return what the signer's folder, the site's secret and `held` give; None for what is absent.

    Raises BadHeld when a file is there and is not what it should be.
    """
    text = _text(held) if held else _text(folder / "held.note")
    if held and text is None:
        raise BadHeld(f"There is no {held} that can be read.")
    try:
        keys = _keys(folder)
        return Outside(
            held=_held(text, keys) if text else None,
            memory=_memory(folder),
            keys=keys,
            secret=(_text(secret) or "").strip().encode() or None,
        )
    except (BadNote, BadSignature, BadMemory) as damage:
        raise BadHeld(str(damage)) from damage


def _held(text: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    if not keys:
        return read_checkpoint(read_note(text).body)
    return read_signed_checkpoint(text, keys)


def _keys(folder: Path) -> tuple[VerifierKey, ...]:
    """Return the log's keys, the present one first."""
    return tuple(read_key(line) for line in (_text(folder / "log.vkey") or "").splitlines())


def _memory(folder: Path) -> Memory | None:
    text = _text(folder / "signer.json")
    return read_memory(text) if text else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None

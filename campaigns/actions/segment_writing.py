"""Write one sealed file of outcomes: beside its place first, whole and on disk when it appears."""

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from audit.actions.durable_files import sync_folder
from audit.rules.hashes import Tree, commitment, leaf_hash
from audit.rules.segments import NUMBER, TEXT, line_salt, text_value
from campaigns.models import Campaign
from campaigns.rules.outcome_lines import Attempt, Committed, outcome_line
from campaigns.rules.text import Template, compile_text
from workspaces.rules.sealing import Opener, SealBroken

LINES_AT_ONCE = 2_000


@dataclass(frozen=True)
class Written:
    """A segment's file as it lies on the disk."""

    path: Path
    line_count: int
    size_bytes: int
    sha256: bytes
    root: bytes


@dataclass(frozen=True)
class _Wording:
    """What all lines of a campaign share; `fixed` is the text's value where all have one text."""

    campaign_id: int
    sender: str
    template: Template
    fixed: str


class SegmentWriter:
    """Writes the lines of one segment in the order in which they come, in little memory.

    `key` is what the salts of its lines are derived from; `opener` opens the workspace's numbers.
    """

    def __init__(self, folder: Path, number: int, *, key: bytes, opener: Opener) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._number = number
        self._key = key
        self._opener = opener
        self._aside = folder / f".{uuid4().hex}.new"
        self._file = self._aside.open("xb")
        self._digest = sha256()
        self._tree = Tree()
        self._size = 0
        self._waiting: list[bytes] = []
        self._wording = _Wording(0, "", compile_text(""), "")

    def add(self, attempt: Attempt, number_sealed: Any, values: str | None) -> None:
        """Write one attempt; `values` are the recipient's as JSON, for a personal text."""
        n = self._tree.size + 1
        if attempt.campaign_id != self._wording.campaign_id:
            self._wording = _wording_of(attempt.campaign_id)
        committed = self._commit(n, self._open(number_sealed), values)
        line = outcome_line(n, attempt, self._wording.sender, committed)
        self._tree.append(leaf_hash(line))
        self._waiting.append(line)
        if len(self._waiting) >= LINES_AT_ONCE:
            self._flush()

    def finish(self) -> Written:
        """Put the file in its place so that it outlives a power cut from here on."""
        self._flush()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        root = self._tree.root()
        path = self._folder / f"{self._number:08d}-{root.hex()[:16]}.jsonl"
        self._aside.rename(path)
        # The workspace's folder and the one of all segments may be new as well.
        for folder in (self._folder, *self._folder.parents[:2]):
            sync_folder(folder)
        return Written(path, self._tree.size, self._size, self._digest.digest(), root)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        """Leave nothing half-written behind when what is inside fails."""
        self._file.close()
        self._aside.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._waiting:
            block = b"\n".join([*self._waiting, b""])
            self._digest.update(block)
            self._size += self._file.write(block)
            self._waiting.clear()

    def _open(self, number_sealed: Any) -> str:
        """Return the number as +digits, "" where it was erased or does not open."""
        if number_sealed is None:
            return ""
        try:
            return "+" + self._opener.open(bytes(number_sealed)).decode()
        except SealBroken:
            return ""

    def _commit(self, n: int, number: str, values: str | None) -> Committed:
        salt = line_salt(self._key, n)
        text = self._text(values, is_erased=not number)
        return Committed(
            number=commitment(salt, NUMBER, number) if number else "",
            text=commitment(salt, TEXT, text) if text else "",
        )

    def _text(self, values: str | None, *, is_erased: bool) -> str:
        """Return the value of the text; "" for a personal one of which nothing is left."""
        wording = self._wording
        if wording.fixed or is_erased:
            return wording.fixed
        return text_value(wording.template.render(json.loads(values) if values else {}))


def _wording_of(campaign_id: int) -> _Wording:
    found = Campaign.objects.filter(pk=campaign_id)
    text, sender = found.values_list("text", "sender_revision__value").get()
    template = compile_text(text)
    fixed = "" if template.is_personal else text_value(template.render({}))
    return _Wording(campaign_id, sender or "", template, fixed)

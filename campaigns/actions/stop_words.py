"""The words by which subscribers stop and start again: the platform's, and a workspace's own."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.rules.events import Diff, Obj
from audit.rules.reasons import SHORTEST_NOTE
from campaigns.models import StopWord, WordKind, WorkspaceStopWord
from campaigns.rules.stop_words import LONGEST_WORD, fold
from workspaces.actions.noting import note, note_platform
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

Word = StopWord | WorkspaceStopWord
ADD, REMOVE = "stop_word.add", "stop_word.remove"


class WordRefused(Refusal):
    """A word cannot be added or taken away as asked."""


def add_word(*, by: Me, kind: WordKind, language: str, word: str, now: datetime) -> StopWord:
    """Let a word stop, or start again, in every workspace from now on. Raises WordRefused."""
    word, folded = _read(word)
    row = StopWord(
        kind=kind,
        language=language.lower(),
        word=word,
        folded=folded,
        created_by=by.user,
        created_at=now,
    )
    _add(row, by, note_platform, now)
    return row


def remove_word(*, by: Me, word_id: int, why: str, now: datetime) -> None:
    """Take a word from every workspace, with a reason. Raises WordRefused."""
    _remove(StopWord.objects.filter(pk=word_id), by, note_platform, why, now)


def add_own_word(*, by: Me, kind: WordKind, word: str, now: datetime) -> WorkspaceStopWord:
    """Let a word stop, or start again, in the caller's workspace too. Raises WordRefused."""
    word, folded = _read(word)
    if StopWord.objects.filter(folded=folded).exists():
        raise WordRefused(_("This word counts in every workspace already."), field="word")
    row = WorkspaceStopWord(
        workspace=by.here,
        kind=kind,
        word=word,
        folded=folded,
        created_by=by.user,
        created_at=now,
    )
    _add(row, by, note, now)
    return row


def remove_own_word(*, by: Me, word_id: int, why: str, now: datetime) -> None:
    """Take one of the workspace's own words away, with a reason. Raises WordRefused."""
    rows = WorkspaceStopWord.objects.filter(workspace=by.here, pk=word_id)
    _remove(rows, by, note, why, now)


def _add(row: Word, by: Me, write: Callable[..., None], now: datetime) -> None:
    """Insert a word; `write` makes its entry in the chain where it belongs."""
    diff: Diff = {"word": (None, row.word), "kind": (None, WordKind(row.kind).value)}
    try:
        with transaction.atomic(durable=True):
            row.save(force_insert=True)
            write(by, ADD, _obj(row), now=now, diff=diff)
    except IntegrityError as error:
        raise WordRefused(_("This word is in the list already."), field="word") from error


def _remove(
    rows: QuerySet[Any], by: Me, write: Callable[..., None], why: str, now: datetime
) -> None:
    why = _reason(why)
    with transaction.atomic(durable=True):
        row = rows.select_for_update(of=("self",)).first()
        if row is None:
            raise WordRefused(_("This word is gone already."), code="not_found")
        diff: Diff = {"word": (row.word, None), "kind": (row.kind, None)}
        write(by, REMOVE, _obj(row), now=now, diff=diff, why=why)
        row.delete()


def _read(word: str) -> tuple[str, str]:
    """Return a word as it is shown and as it is compared. Raises WordRefused."""
    word = " ".join(word.split())
    folded = fold(word)
    if len(folded) < 2 or max(len(word), len(folded)) > LONGEST_WORD:
        raise WordRefused(_("Type a word, or a few, with 2 to 40 letters or digits."), field="word")
    return word, folded


def _reason(why: str) -> str:
    why = " ".join(why.split())
    if len(why) < SHORTEST_NOTE:
        raise WordRefused(_("Say why. Auditors read it."), field="why")
    return why


def _obj(row: Word) -> Obj:
    return Obj("stop_word", f"wrd_{row.pk}")

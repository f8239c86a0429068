"""The words by which subscribers stop and start again: the platform's, and a workspace's own."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.rules.events import Diff, Obj
from campaigns.models import StopWord, WordKind, WorkspaceStopWord
from campaigns.rules.stop_words import LONGEST_WORD, fold
from workspaces.actions.noting import note, note_platform
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

ADD, REMOVE = "stop_word.add", "stop_word.remove"
SHORTEST_REASON = 3


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
    try:
        with transaction.atomic(durable=True):
            row.save(force_insert=True)
            diff: Diff = {"word": (None, word), "kind": (None, kind.value)}
            note_platform(by, ADD, _obj(row), now=now, diff=diff)
    except IntegrityError as error:
        raise _taken() from error
    return row


def remove_word(*, by: Me, word_id: int, why: str, now: datetime) -> None:
    """Take a word from every workspace, with a reason. Raises WordRefused."""
    why = _reason(why)
    with transaction.atomic(durable=True):
        row = StopWord.objects.select_for_update().filter(pk=word_id).first()
        if row is None:
            raise WordRefused(_("This word is gone already."), code="not_found")
        diff: Diff = {"word": (row.word, None), "kind": (row.kind, None)}
        note_platform(by, REMOVE, _obj(row), now=now, diff=diff, why=why)
        row.delete()


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
    try:
        with transaction.atomic(durable=True):
            row.save(force_insert=True)
            diff: Diff = {"word": (None, word), "kind": (None, kind.value)}
            note(by, ADD, _obj(row), now=now, diff=diff)
    except IntegrityError as error:
        raise _taken() from error
    return row


def remove_own_word(*, by: Me, word_id: int, why: str, now: datetime) -> None:
    """Take one of the workspace's own words away, with a reason. Raises WordRefused."""
    why = _reason(why)
    rows = WorkspaceStopWord.objects.filter(workspace=by.here, pk=word_id)
    with transaction.atomic(durable=True):
        row = rows.select_for_update(of=("self",)).first()
        if row is None:
            raise WordRefused(_("This word is gone already."), code="not_found")
        diff: Diff = {"word": (row.word, None), "kind": (row.kind, None)}
        note(by, REMOVE, _obj(row), now=now, diff=diff, why=why)
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
    if len(why) < SHORTEST_REASON:
        raise WordRefused(_("Say why. Auditors read it."), field="why")
    return why


def _taken() -> WordRefused:
    return WordRefused(_("This word is in the list already."), field="word")


def _obj(row: StopWord | WorkspaceStopWord) -> Obj:
    return Obj("stop_word", f"wrd_{row.pk}")

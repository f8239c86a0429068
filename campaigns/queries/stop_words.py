"""The words that stop and start: the platform's and those of workspaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from campaigns.models import StopWord, WordKind, WorkspaceStopWord
from campaigns.rules.stop_words import NOTHING, Asked, asked
from workspaces.models import Workspace


@dataclass(frozen=True)
class Words:
    """Folded words by what they do."""

    stop: frozenset[str] = frozenset()
    start: frozenset[str] = frozenset()


@dataclass(frozen=True)
class WordTable:
    """The words of the platform, and those that each workspace has beside them."""

    platform: Words
    own: Mapping[int, Words]

    def asked(self, text: str, workspace_id: int | None) -> Asked:
        """Return what a text asks of a workspace; None is nobody's own words."""
        own = self.own.get(workspace_id or 0, Words())
        return asked(
            text, stop=self.platform.stop | own.stop, start=self.platform.start | own.start
        )

    def asked_anywhere(self, text: str) -> bool:
        """Say whether any workspace could read a wish in a text."""
        return any(self.asked(text, place) != NOTHING for place in (None, *self.own))


def word_table() -> WordTable:
    """Return all words; needs to see every workspace."""
    platform = _words(list(StopWord.objects.values_list("kind", "folded")))
    rows: dict[int, list[tuple[str, str]]] = {}
    for place, kind, folded in WorkspaceStopWord.objects.values_list(
        "workspace_id", "kind", "folded"
    ):
        rows.setdefault(place, []).append((kind, folded))
    return WordTable(platform, {place: _words(mine) for place, mine in rows.items()})


def _words(rows: Sequence[tuple[str, str]]) -> Words:
    def of(wanted: WordKind) -> frozenset[str]:
        return frozenset(folded for kind, folded in rows if kind == wanted)

    return Words(of(WordKind.STOP), of(WordKind.START))


def platform_words() -> list[StopWord]:
    """Return the platform's words: those that stop first, by language and word."""
    rows = StopWord.objects.select_related("created_by__person")
    return sorted(rows, key=lambda row: (row.kind != WordKind.STOP, row.language, row.word))


@dataclass(frozen=True)
class Language:
    """The platform's words of one language, as they are shown."""

    code: str
    stop: Sequence[str]
    start: Sequence[str]


def words_by_language() -> list[Language]:
    """Return the platform's words, a language at a time."""
    rows = platform_words()
    return [
        Language(
            code,
            [row.word for row in rows if row.language == code and row.kind == WordKind.STOP],
            [row.word for row in rows if row.language == code and row.kind == WordKind.START],
        )
        for code in sorted({row.language for row in rows})
    ]


def platform_word(word_id: int) -> StopWord | None:
    """Return a word of the platform, or None."""
    return StopWord.objects.filter(pk=word_id).first()


def workspace_word(workspace: Workspace, word_id: int) -> WorkspaceStopWord | None:
    """Return one of a workspace's own words, or None."""
    return WorkspaceStopWord.objects.filter(workspace=workspace, pk=word_id).first()


def workspace_words(workspace: Workspace) -> list[WorkspaceStopWord]:
    """Return a workspace's own words: those that stop first, by word."""
    rows = WorkspaceStopWord.objects.filter(workspace=workspace).select_related(
        "created_by__person"
    )
    return sorted(rows, key=lambda row: (row.kind != WordKind.STOP, row.word))

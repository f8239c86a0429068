"""A text as real people would see it: parts drawn, numbers masked."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns.models import Campaign
from campaigns.queries.alphabets import alphabet_counted
from campaigns.queries.counting import Counted, parts_words
from campaigns.queries.samples import Row, masked_numbers
from campaigns.rules.composition import Measured, parts_of
from campaigns.rules.sender_names import Kind, kind_of
from campaigns.rules.text import compile_text
from smpp_client.rules.segments import Alphabet, TextRefused, count


@dataclass(frozen=True)
class Choice:
    """A row that can be looked at."""

    row_number: int
    label: str


@dataclass(frozen=True)
class Preview:
    """The phone: who sends, and the text cut where its parts begin."""

    sender: str
    parts: Sequence[str]
    choices: Sequence[Choice] = ()
    picked: int = 0
    can_reply: bool = False


@dataclass(frozen=True)
class Shown:
    """One person's text. `why` says what made this one be shown."""

    row_number: int
    number: str
    text: str
    segment_count: int
    why: str = ""

    @property
    def size(self) -> str:
        """The parts in words."""
        return parts_words(self.segment_count)


def preview_of(campaign: Campaign, found: Counted, wanted: int = 0) -> Preview:
    """Return the phone for one row of those that were counted: the wanted one, else the first."""
    sender = campaign.sender.value if campaign.sender else ""
    can_reply = bool(sender) and kind_of(sender) is not Kind.NAME
    if found.measured is None or not found.rows:
        parts = _cut(found.text, found.alphabet_counted)
        return Preview(sender, parts, can_reply=can_reply)
    choices = _choices(campaign, found.rows, found.measured)
    numbers = {choice.row_number for choice in choices}
    picked = wanted if wanted in numbers else choices[0].row_number
    row = next(row for row in found.rows if row.row_number == picked)
    text = compile_text(found.text).render(row.values)
    return Preview(sender, _cut(text, found.alphabet_counted), choices, picked, can_reply)


def _cut(text: str, alphabet: Alphabet) -> list[str]:
    try:
        return parts_of(text, alphabet)
    except TextRefused:
        return [text]


def _choices(campaign: Campaign, rows: Sequence[Row], measured: Measured) -> list[Choice]:
    named = _named(rows, measured)
    numbers = masked_numbers(campaign.workspace_id, [row for row, _why in named])
    return [
        Choice(
            row.row_number,
            (_("%(why)s: row %(n)s, %(number)s") if why else _("Row %(n)s, %(number)s"))
            % {"why": why, "n": f"{row.row_number:,}", "number": numbers.get(row.pk, "")},
        )
        for row, why in named
    ]


def _named(rows: Sequence[Row], measured: Measured) -> list[tuple[Row, str]]:
    """Return the first, longest, shortest and oddest row, each once."""
    wanted = [(0, ""), (measured.longest, _("Longest")), (measured.shortest, _("Shortest"))]
    if measured.rarest is not None:
        wanted.append((measured.rarest, _("Other letters")))
    once: dict[int, str] = {}
    for index, why in wanted:
        once[index] = once.get(index) or why
    return [(rows[index], why) for index, why in once.items()]


def shown(
    campaign: Campaign, rows: Sequence[tuple[Row, str]], text: str | None = None
) -> list[Shown]:
    """Return what some people will read, each with why it is shown."""
    template = compile_text(campaign.text if text is None else text)
    numbers = masked_numbers(campaign.workspace_id, [row for row, _why in rows])
    alphabet = alphabet_counted(campaign)
    found = []
    for row, why in rows:
        words = template.render(row.values)
        number = numbers.get(row.pk, "")
        found.append(Shown(row.row_number, number, words, _segments(words, alphabet), why))
    return found


def _segments(text: str, alphabet: Alphabet) -> int:
    try:
        return max(1, count(text, alphabet=alphabet).segments)
    except TextRefused:
        return 0


def extremes(campaign: Campaign, rows: Sequence[Row], measured: Measured) -> list[Shown]:
    """Return the shortest, the longest and one other of some rows as people would read them."""
    wanted = {measured.shortest: _("Shortest"), measured.longest: _("Longest")}
    other = next((i for i in range(len(rows) // 2, len(rows)) if i not in wanted), None)
    if other is not None:
        wanted[other] = _("At random")
    return shown(campaign, [(rows[index], why) for index, why in wanted.items()])

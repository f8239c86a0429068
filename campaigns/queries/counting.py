"""How many parts a text is for whom: the sentences under the box where it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, Mode
from campaigns.queries.alphabets import NOT_BUILT, alphabet_now, latin1_names
from campaigns.queries.blockers import known_names
from campaigns.queries.samples import Row, Sample, sample_of_list
from campaigns.rules.campaign_states import State
from campaigns.rules.composition import Letter, Measured, excess, letters_of, measure, plainer
from campaigns.rules.text import compile_text, unknown_names
from smpp_client.rules.segments import Alphabet, Count, Encoding, TextRefused, is_alike

# A hint about what to leave out helps only as far as a person would.
MOST_EXCESS = 30


@dataclass(frozen=True)
class Bar:
    """How many rows get so many parts."""

    parts: int
    row_count: int


@dataclass(frozen=True)
class Estimate:
    """How many segments a campaign will have; exact once it is built, or counted over all rows."""

    segment_total: int
    is_exact: bool


@dataclass(frozen=True)
class Counted:
    """What a text comes to. Sentences may be empty; `bars` cover `counted_rows` rows.

    It was counted for `alphabet_counted`. `rows` are those it was counted over and `measured` their
    counts, in the same order.
    """

    text: str
    alphabet_counted: Alphabet = Alphabet.GSM
    sentence: str = ""
    basis: str = ""
    alphabet: str = ""
    hint: str = ""
    refused: str = ""
    values_hint: str = ""
    route_hint: str = ""
    unknown: tuple[str, ...] = ()
    letters: list[Letter] = field(default_factory=list)
    replaced: str = ""
    bars: list[Bar] = field(default_factory=list)
    counted_rows: int = 0
    estimate: Estimate | None = None
    rows: Sequence[Row] = ()
    measured: Measured | None = None

    @property
    def table(self) -> str:
        """What the alphabets are called that have to hold a letter."""
        return table_words(self.alphabet_counted)

    @property
    def replaceable_count(self) -> int:
        """How many characters one press would replace."""
        return sum(one.count for one in self.letters if one.suggestion is not None)


def table_words(alphabet: Alphabet) -> str:
    """Name the tables of letters that take the least room."""
    return _("GSM-7") if alphabet is Alphabet.GSM else _("GSM-7 or Latin-1")


def counted(campaign: Campaign, text: str) -> Counted:
    """Count a text that may not be saved yet over the campaign's list, for the connections that may
    carry it.
    """
    alphabet = alphabet_now(campaign)
    lst = campaign.recipient_list if campaign.mode != Mode.TRIGGER else None
    sample = sample_of_list(lst) if lst is not None else Sample([], 0)
    unknown = unknown_names(text, known_names(campaign))
    values: list[Mapping[str, str]] = [row.values for row in sample.rows]
    values = values or [_stand_ins(campaign, text)]
    try:
        measured = measure(compile_text(text), values, alphabet)
    except TextRefused as refused:
        return Counted(
            text,
            alphabet,
            refused=str(refused),
            unknown=unknown,
            letters=letters_of(text, alphabet),
        )
    return Counted(
        text=text,
        alphabet_counted=alphabet,
        sentence=_sentence(campaign, measured, sample),
        basis=_basis(campaign, sample),
        alphabet=_alphabet(measured.usual),
        hint=_hint(measured.usual),
        values_hint=_values_hint(measured, text, sample, alphabet),
        route_hint=_route_hint(campaign, text, alphabet),
        unknown=unknown,
        letters=letters_of(text, alphabet),
        replaced=_replaced(text, values, measured, sample, alphabet),
        bars=[Bar(parts, n) for parts, n in sorted(measured.parts.items())] if sample.rows else [],
        counted_rows=len(sample.rows),
        estimate=_estimate(measured, sample),
        rows=sample.rows,
        measured=measured,
    )


def estimate_of(campaign: Campaign) -> Estimate | None:
    """Return how many segments a campaign has or will have; None while that is not known."""
    if is_built(campaign):
        return Estimate(campaign.segment_total, is_exact=True)
    if campaign.mode == Mode.TRIGGER or campaign.recipient_list is None or not campaign.text:
        return None
    sample = sample_of_list(campaign.recipient_list)
    values = [row.values for row in sample.rows]
    try:
        measured = measure(compile_text(campaign.text), values, alphabet_now(campaign))
        return _estimate(measured, sample)
    except TextRefused:
        return None


def is_built(campaign: Campaign) -> bool:
    """Whether the counts on the campaign's row are those of what it is now."""
    return campaign.total > 0 and State(campaign.state) not in NOT_BUILT


def _estimate(measured: Measured, sample: Sample) -> Estimate | None:
    if not sample.rows:
        return None
    return Estimate(round(measured.mean_parts * sample.total), is_exact=sample.is_whole)


def _stand_ins(campaign: Campaign, text: str) -> Mapping[str, str]:
    """Return what stands for values without a list: a trigger's longest, else the placeholder."""
    if campaign.mode == Mode.TRIGGER:
        return {slot["name"]: "x" * int(slot["max_length"]) for slot in campaign.slots}
    return {name: f"({name})" for name in compile_text(text).names}


def parts_words(parts: int) -> str:
    """Write a number of parts."""
    return ngettext("%(n)s part", "%(n)s parts", parts) % {"n": parts}


def _sentence(campaign: Campaign, measured: Measured, sample: Sample) -> str:
    groups = list(measured.parts.items())
    usual = parts_words(groups[0][0])
    if not sample.rows:
        most = _("At most %(parts)s.") if campaign.mode == Mode.TRIGGER else _("%(parts)s.")
        return most % {"parts": usual}
    if len(groups) == 1:
        if sample.is_whole:
            return ngettext(
                "%(parts)s for the one recipient.",
                "%(parts)s for all %(n)s recipients.",
                sample.total,
            ) % {"parts": usual, "n": f"{sample.total:,}"}
        return _("%(parts)s for everybody in the sample.") % {"parts": usual}
    rest = ", ".join(
        _("%(parts)s for %(n)s of them") % {"parts": parts, "n": f"{n:,}"}
        for parts, n in groups[1:]
    )
    return _("%(parts)s for most recipients, %(rest)s.") % {"parts": usual, "rest": rest}


def _basis(campaign: Campaign, sample: Sample) -> str:
    if sample.rows and sample.is_whole:
        return ""
    if sample.rows:
        return _("Looked at a sample of %(n)s of %(total)s rows.") % {
            "n": f"{len(sample.rows):,}",
            "total": f"{sample.total:,}",
        }
    if campaign.mode == Mode.TRIGGER:
        return _("Counted with the longest value that each slot takes, in plain letters.")
    return _("No list is chosen yet: placeholders count as they are written.")


def _alphabet(usual: Count) -> str:
    name = "UCS-2" if usual.encoding is Encoding.UCS2 else "GSM-7"
    return _("%(name)s, %(n)s in a part") % {"name": name, "n": usual.unit_limit}


def _hint(usual: Count) -> str:
    over = excess(usual)
    if not over:
        return ngettext("%(n)s character left.", "%(n)s characters left.", usual.units_left) % {
            "n": usual.units_left
        }
    if over > MOST_EXCESS:
        return ""
    words = ngettext(
        "%(n)s character fewer makes it %(parts)s.",
        "%(n)s characters fewer make it %(parts)s.",
        over,
    )
    return words % {"n": over, "parts": parts_words(usual.segments - 1)}


def _values_hint(measured: Measured, text: str, sample: Sample, alphabet: Alphabet) -> str:
    """Say how many rows bring letters of their own that cost room."""
    if letters_of(text, alphabet) or not sample.rows:
        return ""
    count = measured.encodings.get(Encoding.UCS2, 0)
    if not count:
        return ""
    words = ngettext(
        "The value of %(n)s row has letters outside %(table)s: 70 fit in one part there.",
        "The values of %(n)s rows have letters outside %(table)s: 70 fit in one part there.",
        count,
    )
    return words % {"n": f"{count:,}", "table": table_words(alphabet)}


def _route_hint(campaign: Campaign, text: str, alphabet: Alphabet) -> str:
    """Say which connections make a text longer that others would carry in fewer parts."""
    if alphabet is Alphabet.GSM or all(is_alike(one) for one in compile_text(text).literals):
        return ""
    names = latin1_names(campaign)
    words = ngettext(
        "The connection %(names)s takes Latin-1 and not all of GSM-7, so it goes as UCS-2.",
        "The connections %(names)s take Latin-1 and not all of GSM-7, so it goes as UCS-2.",
        len(names),
    )
    return words % {"names": ", ".join(names)}


def _replaced(
    text: str,
    values: Sequence[Mapping[str, str]],
    measured: Measured,
    sample: Sample,
    alphabet: Alphabet,
) -> str:
    """Say what the one-press replacement would save."""
    plain = plainer(text)
    if plain == text:
        return ""
    after = measure(compile_text(plain), values, alphabet)
    if after.mean_parts >= measured.mean_parts:
        return _("It does not change the number of parts.")
    words = _("With the replacement: %(parts)s instead of %(before)s") % {
        "parts": parts_words(after.usual.segments),
        "before": measured.usual.segments,
    }
    if not sample.rows:
        return f"{words}."
    fewer = round((measured.mean_parts - after.mean_parts) * sample.total)
    about = "" if sample.is_whole else _("about") + " "
    saved = ngettext("%(about)s%(n)s segment fewer.", "%(about)s%(n)s segments fewer.", fewer)
    return f"{words}, " + saved % {"about": about, "n": f"{fewer:,}"}

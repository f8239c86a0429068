"""What was looked at before a campaign may be submitted: passed, or something to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, Mode
from campaigns.queries.counting import Counted
from campaigns.queries.lists import opted_out_count
from campaigns.queries.planning import Fit
from campaigns.rules.campaign_states import State
from campaigns.rules.text import LINK, compile_text
from smpp_client.rules.segments import Alphabet

# Who of a longer list has opted out is told where somebody asks for it.
COUNTED_AT_ONCE = 20_000
SAME_LIST = timedelta(days=7)
WENT_OUT = (State.SENDING, State.PAUSED, State.HELD, State.COMPLETED, State.EXPIRED)
WILL_GO = (State.APPROVED, State.SCHEDULED)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `figure` is what was seen."""

    sentence: str
    figure: str = ""
    is_passed: bool = True


def checks_of(campaign: Campaign, found: Counted, fit: Fit | None, now: datetime) -> list[Check]:
    """Return what was looked at, what needs a look first."""
    checks = [
        _sender(campaign),
        *_values(campaign, found),
        *_letters(found),
        *_link(campaign),
        *_people(campaign),
        *_same_list(campaign, now),
        *_fit(fit),
    ]
    return sorted(checks, key=lambda check: check.is_passed)


def _sender(campaign: Campaign) -> Check:
    revision = campaign.sender.approved_revision if campaign.sender else None
    if campaign.sender is None or revision is None:
        return Check(_("The sender name is not approved."), is_passed=False)
    return Check(
        _("Sender %(name)s, revision %(n)s, is approved")
        % {"name": campaign.sender.value, "n": revision.number},
        str(revision.get_category_display()),
    )


def _values(campaign: Campaign, found: Counted) -> list[Check]:
    names = sorted(set(compile_text(campaign.text).names))
    if not names or not found.rows:
        return []
    empty = [name for name in names if any(not row.values.get(name) for row in found.rows)]
    if not empty:
        words = ngettext(
            "The placeholder has a value in every row that was looked at",
            "All %(n)s placeholders have a value in every row that was looked at",
            len(names),
        )
        return [Check(words % {"n": len(names)}, _rows_looked_at(found))]
    return [_empty(name, found) for name in empty]


def _empty(name: str, found: Counted) -> Check:
    count = sum(not row.values.get(name) for row in found.rows)
    words = ngettext(
        "“%(name)s” is empty for %(n)s person: nothing stands there in the text",
        "“%(name)s” is empty for %(n)s people: nothing stands there in the text",
        count,
    )
    sentence = words % {"name": name, "n": f"{count:,}"}
    return Check(sentence, _rows_looked_at(found), is_passed=False)


def _rows_looked_at(found: Counted) -> str:
    return ngettext("%(n)s row", "%(n)s rows", len(found.rows)) % {"n": f"{len(found.rows):,}"}


def _letters(found: Counted) -> list[Check]:
    if not found.letters:
        words = _("Every letter of the text is in GSM-7")
        if found.alphabet_counted is Alphabet.LATIN1:
            words = _("Every letter of the text is in GSM-7 and in Latin-1")
        return [Check(words, found.alphabet)]
    shown = " ".join(letter.character for letter in found.letters[:5])
    words = _("Letters outside %(table)s make it longer: %(letters)s")
    words %= {"table": found.table, "letters": shown}
    return [Check(words, found.alphabet, is_passed=False)]


def _link(campaign: Campaign) -> list[Check]:
    link = LINK.search(campaign.text)
    if link is None:
        return [Check(_("No link in the text"))]
    word = next((one for one in campaign.text.split() if LINK.search(one)), "")
    return [Check(_("There is a link in the text: open it once more"), word[:60], is_passed=False)]


def _people(campaign: Campaign) -> list[Check]:
    lst = campaign.recipient_list
    if campaign.mode == Mode.TRIGGER or lst is None:
        return []
    figure = _("%(rows)s rows, %(people)s people") % {
        "rows": f"{lst.row_count:,}",
        "people": f"{lst.valid_count:,}",
    }
    checks = [Check(_("Every recipient was imported, checked and counted"), figure)]
    opted_out = opted_out_count(lst) if lst.valid_count <= COUNTED_AT_ONCE else 0
    if opted_out:
        words = ngettext(
            "%(n)s of them has opted out and gets nothing",
            "%(n)s of them have opted out and get nothing",
            opted_out,
        )
        checks.append(Check(words % {"n": f"{opted_out:,}"}, _("looked up again when sent")))
    return checks


def _same_list(campaign: Campaign, now: datetime) -> list[Check]:
    return [
        Check(sentence, figure, is_passed=False) for sentence, figure in same_list(campaign, now)
    ]


def same_list(campaign: Campaign, now: datetime) -> Sequence[tuple[str, str]]:
    """Return (sentence, campaign) for what the same list got in the last days, or will get."""
    if campaign.recipient_list_id is None:
        return []
    others = Campaign.objects.filter(
        workspace=campaign.workspace_id,
        recipient_list=campaign.recipient_list_id,
        deleted_at=None,
    ).exclude(pk=campaign.pk)
    went = others.filter(
        state__in=[state.value for state in WENT_OUT], started_at__gte=now - SAME_LIST
    )
    found = []
    last = went.order_by("-started_at").first()
    if last is not None and last.started_at is not None:
        days = (now - last.started_at).days
        when = ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
        when = when if days else _("in the last 24 hours")
        found.append((_("The same list got a campaign %(when)s") % {"when": when}, _named(last)))
    coming = others.filter(state__in=[state.value for state in WILL_GO]).order_by("pk").first()
    if coming is not None:
        found.append((_("The same list will get another approved campaign"), _named(coming)))
    return found


def _named(campaign: Campaign) -> str:
    return f"{campaign} {campaign.name}"


def _fit(fit: Fit | None) -> list[Check]:
    if fit is None or fit.is_fitting is None:
        return []
    words = _("The plan fits the route") if fit.is_fitting else _("The plan does not fit the route")
    return [Check(words, fit.sentence, is_passed=fit.is_fitting)]

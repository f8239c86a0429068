"""What pages say of a campaign's people and times, in the workspace's zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, Mode
from campaigns.queries.counting import Estimate, is_built


def people_words(campaign: Campaign) -> str:
    """Return how many people a campaign goes to, in words."""
    if campaign.mode == Mode.TRIGGER:
        return _("Pushed by a system")
    if campaign.recipient_list is None:
        return _("Not started")
    count = campaign.total if is_built(campaign) else campaign.recipient_list.valid_count
    return ngettext("%(n)s person", "%(n)s people", count) % {"n": f"{count:,}"}


def when_words(campaign: Campaign, now: datetime) -> str:
    """Return when a campaign goes out, in the workspace's zone."""
    starts, ends = campaign.starts_at, campaign.ends_at
    if campaign.mode == Mode.TRIGGER:
        words = _("Open until %(day)s") if ends else _("No end yet")
        return words % {"day": local(campaign, ends, "j M Y")}
    if campaign.mode == Mode.ON_DEMAND:
        return _("After approval")
    if starts is None:
        return _("No time yet")
    begin = local(campaign, starts, day_form(campaign, starts, now) + "H:i")
    if ends is None:
        return begin
    is_same_day = local(campaign, starts, "Ymd") == local(campaign, ends, "Ymd")
    end = local(campaign, ends, "H:i" if is_same_day else day_form(campaign, ends, now) + "H:i")
    return f"{begin}–{end}"


def day_form(campaign: Campaign, at: datetime, now: datetime) -> str:
    """Return how a day is written: the weekday within a week, else the date."""
    is_near = abs(at - now) < timedelta(days=6)
    return "D " if is_near else "j M " if local(campaign, at, "Y") == str(now.year) else "j M Y "


def local(campaign: Campaign, at: datetime | None, form: str) -> str:
    """Write an instant in the workspace's zone."""
    return date_format(at.astimezone(ZoneInfo(campaign.workspace.zone)), form) if at else ""


def segment_words(estimate: Estimate | None) -> str:
    """Write a number of segments; empty while it is not known."""
    if estimate is None:
        return ""
    figure = f"{estimate.segment_total:,}"
    return figure if estimate.is_exact else _("about %(n)s") % {"n": figure}

"""Step 4: when, how fast, by which route; for a trigger what it takes and until when."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from campaigns.forms.slots import SlotRow, read_slots, shown_slots
from campaigns.forms.wizard import NeededChoice, NeededNumber, StepForm
from campaigns.models import Campaign, Mode, Priority, StartBy
from campaigns.rules.calculator import PlanRefused, Sum, Unknown, after_change, solved
from campaigns.rules.local_times import TimeRefused, read_duration, to_utc, write_duration
from smpp_client.rules.pace import Daily

MODES = [
    (Mode.SPREAD, _("Spread")),
    (Mode.ON_DEMAND, _("On demand")),
    (Mode.SCHEDULED, _("At a time")),
    (Mode.TRIGGER, _("Trigger")),
]
TIMED = frozenset({Mode.SPREAD, Mode.SCHEDULED})


def day_field(label: Any) -> forms.DateField:
    """Return a field for a day."""
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )


def time_field(label: Any) -> forms.TimeField:
    """Return a field for a time of day."""
    return forms.TimeField(
        label=label, required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )


def rate_field(label: Any, hint: Any = "") -> forms.DecimalField:
    """Return a field for segments/s."""
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal("0.001"),
        max_value=Decimal(1_000_000),
        decimal_places=3,
        help_text=hint,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class PlanForm(StepForm):
    """The plan in the workspace's zone. What other modes need is kept, but not saved.

    `sum` holds start, finish and rate with the third worked out, after `is_valid`; `total` is the
    number of segments, 0 while it is not known.
    """

    mode = forms.ChoiceField(label=_("Mode"), choices=MODES, widget=forms.RadioSelect)
    start_date = day_field(_("Start"))
    start_time = time_field(_("Start time"))
    end_date = day_field(_("Finish by"))
    end_time = time_field(_("Finish time"))
    duration = forms.CharField(label=_("Duration"), max_length=30, required=False)
    rate = rate_field(_("Rate, segments/s"))
    unknown = forms.ChoiceField(
        choices=[
            (Unknown.RATE, _("Rate")),
            (Unknown.END, _("Finish")),
            (Unknown.START, _("Start")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    changed = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    daily_from = time_field(_("Only from"))
    daily_until = time_field(_("until"))
    stop_date = day_field(_("Ends at the latest"))
    stop_time = time_field(_("Time of the end"))
    ceiling = rate_field(_("At most, segments/s"), _("Without a number the route's own rate."))
    daily_cap = NeededNumber(
        label=_("Messages a day at most"),
        min_value=1,
        max_value=2_000_000_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    start_by = forms.ChoiceField(
        label=_("After approval"), choices=StartBy.choices, widget=forms.RadioSelect
    )
    route = NeededChoice(label=_("Route"), coerce=int, empty_value=None, widget=forms.RadioSelect)
    priority = forms.ChoiceField(
        label=_("Priority"),
        choices=Priority.choices,
        help_text=_("When a route is full, transactional messages go first."),
    )

    def __init__(
        self,
        campaign: Campaign,
        routes: list[tuple[int, str]],
        total: int,
        data: QueryDict | None = None,
    ) -> None:
        super().__init__(data, initial=initial_of(campaign))
        self.zone = campaign.workspace.zone
        self.total = total
        self.fields["route"].choices = routes  # type: ignore[attr-defined]
        self.sum = Sum(total)
        self.slots: list[SlotRow] = (
            read_slots(data) if data is not None else shown_slots(campaign.slots, campaign.text)
        )

    @property
    def mode_now(self) -> str:
        """The mode as it is chosen, right or wrong."""
        return str(self["mode"].value())

    def clean(self) -> dict[str, Any]:
        """Read times as instants, and work out what is unknown."""
        data = super().clean() or {}
        mode = data.get("mode", "")
        self._check_daily(data)
        if mode in TIMED:
            data["starts_at"] = self._instant("start_date", "start_time")
        if mode == Mode.SPREAD:
            self._work_out(data)
        elif mode:
            data["ends_at"] = self._instant("stop_date", "stop_time")
        if mode == Mode.TRIGGER and any(row.error for row in self.slots):
            self.add_error(None, _("Look at the slots."))
        return data

    def _check_daily(self, data: dict[str, Any]) -> None:
        opens, closes = data.get("daily_from"), data.get("daily_until")
        if (opens is None) != (closes is None):
            missing = "daily_from" if opens is None else "daily_until"
            self.add_error(missing, _("Type both times, or neither."))
        elif opens is not None and opens == closes:
            self.add_error("daily_until", _("It opens and closes at the same time."))

    def _instant(self, day_name: str, time_name: str) -> datetime | None:
        """Return the instant of two fields; None where it is empty or wrong."""
        day: date | None = self.cleaned_data.get(day_name)
        at: time | None = self.cleaned_data.get(time_name)
        if day_name in self.errors or time_name in self.errors:
            return None
        if (day is None) != (at is None):
            missing, words = (
                (day_name, _("Type the day too.")) if day is None else (time_name, _("And when?"))
            )
            self.add_error(missing, words)
        if day is None or at is None:
            return None
        try:
            return to_utc(day, at, self.zone)
        except TimeRefused as refused:
            self.add_error(time_name, str(refused))
            return None

    def _work_out(self, data: dict[str, Any]) -> None:
        data["ends_at"] = self._instant("end_date", "end_time")
        known = Sum(
            total=self.total,
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            duration=self._duration(data),
            rate=float(data["rate"]) if data.get("rate") else None,
            daily=self._daily(data),
            unknown=Unknown(data.get("unknown") or Unknown.RATE),
        )
        if self.errors:
            return
        try:
            self.sum = solved(after_change(known, _changed(data.get("changed", ""))))
        except PlanRefused as refused:
            self.add_error(None, str(refused))
            return
        data["starts_at"], data["ends_at"] = self.sum.starts_at, self.sum.ends_at

    def _duration(self, data: dict[str, Any]) -> timedelta | None:
        text = data.get("duration", "")
        if not text or data.get("changed") != "duration":
            return None
        try:
            return read_duration(text)
        except TimeRefused as refused:
            self.add_error("duration", str(refused))
            return None

    def _daily(self, data: dict[str, Any]) -> Daily | None:
        if data.get("daily_from") is None or data.get("daily_until") is None or self.errors:
            return None
        return Daily(data["daily_from"], data["daily_until"], self.zone)

    def changes(self, campaign: Campaign) -> Mapping[str, Any]:
        """Return the plan's columns.

        The ceiling of a spread is worked out when it is built; seconds that the form cannot show
        are kept.
        """
        data = self.cleaned_data
        mode = data["mode"]
        found = {
            "mode": mode,
            "starts_at": _kept(data.get("starts_at"), campaign.starts_at),
            "ends_at": _kept(data.get("ends_at"), campaign.ends_at),
            "daily_from": data["daily_from"],
            "daily_until": data["daily_until"],
            "start_by": data["start_by"],
            "route_id": data["route"],
            "priority": data["priority"],
        }
        if mode != Mode.SPREAD:
            found["rate_ceiling"] = data["ceiling"]
        if mode == Mode.TRIGGER:
            found["daily_cap"] = data["daily_cap"]
            found["slots"] = [row.as_slot() for row in self.slots if row.name]
        return found


def _changed(name: str) -> str:
    """Return what a person typed into, in the calculator's words."""
    return name.removesuffix("_date").removesuffix("_time")


def _kept(new: datetime | None, old: datetime | None) -> datetime | None:
    """Return the stored instant where the form shows the same minute."""
    if new is not None and old is not None and new == old.replace(second=0, microsecond=0):
        return old
    return new


def initial_of(campaign: Campaign) -> dict[str, Any]:
    """Return what the form shows of a campaign, in the workspace's zone."""
    is_spread = campaign.mode == Mode.SPREAD
    zone = campaign.workspace.zone
    return {
        "mode": campaign.mode,
        **_local("start", campaign.starts_at, zone),
        **_local("end", campaign.ends_at if is_spread else None, zone),
        **_local("stop", None if is_spread else campaign.ends_at, zone),
        "daily_from": campaign.daily_from,
        "daily_until": campaign.daily_until,
        "ceiling": None if is_spread else short(campaign.rate_ceiling),
        "unknown": Unknown.RATE.value,
        "daily_cap": campaign.daily_cap,
        "start_by": campaign.start_by,
        "route": campaign.route_id,
        "priority": campaign.priority,
    }


def _local(name: str, at: datetime | None, zone: str) -> dict[str, date | time | None]:
    local = at.astimezone(ZoneInfo(zone)) if at is not None else None
    return {
        f"{name}_date": local.date() if local else None,
        f"{name}_time": local.time().replace(second=0, microsecond=0) if local else None,
    }


def short(rate: Decimal | float | None) -> str:
    """Write a rate: one that was typed as it is, one that was worked out to what matters."""
    if rate is None:
        return ""
    if isinstance(rate, Decimal):
        return f"{rate.normalize():f}"
    return f"{rate:.{1 if rate >= 1 else 3}f}".rstrip("0").rstrip(".")


def worked_out(form: PlanForm) -> dict[str, str]:
    """Return what the calculator's fields show once the sum is solved, by field."""
    known = form.sum
    local = {
        **_local("start", known.starts_at, form.zone),
        **_local("end", known.ends_at, form.zone),
    }
    written = {
        name: (f"{value:%H:%M}" if isinstance(value, time) else f"{value:%Y-%m-%d}")
        for name, value in local.items()
        if value is not None
    }
    if known.duration is not None:
        written["duration"] = write_duration(known.duration)
    if known.rate is not None:
        written["rate"] = short(known.rate)
    return written

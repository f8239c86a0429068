"""The tags: what they draw, and that nothing a person wrote becomes markup."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone

from message_center.templatetags import bars
from message_center.templatetags.states import CHIPS, FILLS
from workspaces.models import Person, User, Workspace
from workspaces.queries.me import Me

EVIL = '"><script>alert(1)</script>'


def drawn(source: str, **values: Any) -> str:
    """Render a piece of a template."""
    return Template(source).render(Context(values))


class Paper(forms.Form):
    """One of each control."""

    name = forms.CharField(label="Name", help_text="At most eleven letters.")
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    route = forms.ChoiceField(label="Route", choices=[("d", "Domestic"), ("r", "Roaming")])
    shape = forms.ChoiceField(label="Shape", choices=[("e", "Even")], widget=forms.RadioSelect)
    days = forms.MultipleChoiceField(
        label="Days",
        choices=[("mo", "Monday"), ("tu", EVIL)],
        widget=forms.CheckboxSelectMultiple,
        help_text="One at least.",
    )
    sure = forms.BooleanField(label="They should get it again")


# --- states ------------------------------------------------------------------------------------


def test_a_chip_says_its_state_in_word_icon_and_colour() -> None:
    found = drawn('{% chip "held" %}')
    assert 'class="chip bad"' in found
    assert "icons.svg#hand-stop" in found
    assert found.endswith("Held</span>")


def test_a_chip_takes_another_word() -> None:
    assert "17 min left" in drawn('{% chip "in_review" "17 min left" %}')


def test_a_state_that_nobody_drew_is_shown_by_name() -> None:
    assert "later" in drawn("{% chip state %}", state="later")


@pytest.mark.parametrize(
    "source",
    [
        "{% chip state %}",
        '{% chip "held" state %}',
        "{% icon state %}",
        "{% state_word state %}",
    ],
)
def test_a_state_cannot_bring_markup(source: str) -> None:
    assert "<script" not in drawn(source, state=EVIL)


def test_every_message_state_has_a_chip_and_a_colour() -> None:
    assert FILLS.keys() <= CHIPS.keys()


# --- numbers and times -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [(486120, "486,120"), (0, "0"), (69.23, "69.2"), (-2535, "-2,535"), (None, "not known")],
)
def test_a_number_has_its_thousands_apart(value: object, text: str) -> None:
    assert drawn("{{ n|number }}", n=value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (425, "7 min 5 s"),
        (3100, "51 min"),
        (3600, "1 h"),
        (24720, "6 h 52 min"),
        (86400, "1 day"),
        (300000, "3 days"),
        (None, "not known"),
    ],
)
def test_a_duration_is_told_in_two_units(seconds: float | None, text: str) -> None:
    assert drawn("{{ s|span }}", s=seconds) == text


def page_of(zone: str) -> dict[str, Any]:
    """The context of a page of a workspace in this zone."""
    place = Workspace(slug="care", name="Care", zone=zone)
    return {"request": type("Request", (), {"me": Me(user=User(person=Person()), workspace=place)})}


def test_an_instant_is_written_relative_and_exact_in_the_workspaces_zone() -> None:
    at = timezone.now() + timedelta(minutes=5, seconds=2)
    found = drawn("{% when at %}", at=at, **page_of("Asia/Tashkent"))
    local = at.astimezone(ZoneInfo("Asia/Tashkent"))
    assert f'<time datetime="{at.isoformat()}"' in found
    assert re.search(rf">in 5 min( \d s)?, .*{local:%H:%M}</time>", found)


def test_an_instant_of_another_day_has_its_date() -> None:
    at = datetime(2020, 11, 20, 20, 30, tzinfo=UTC)
    assert ">21 Nov 2020 01:30<" in drawn(
        '{% when at "exact" %}', at=at, **page_of("Asia/Tashkent")
    )
    assert ">21 Nov 2020<" in drawn('{% when at "date" %}', at=at, **page_of("Asia/Tashkent"))
    assert ">20:30<" in drawn('{% when at "time" %}', at=at)


def test_an_instant_that_is_not_known_says_so() -> None:
    assert "not known" in drawn("{% when at %}", at=None)


# --- bars --------------------------------------------------------------------------------------


def rects(svg: str, fill: str) -> list[float]:
    """The widths of the rectangles with this class."""
    return [float(w) for w in re.findall(rf'width="([\d.]+)" height="10" class="{fill}"', svg)]


def test_the_parts_of_a_bar_add_up_to_its_whole() -> None:
    assert sum(bars.widths([250902, 16318, 3127, 1806, 12, 640, 24, 213077])) == pytest.approx(1000)


def test_a_part_that_is_not_zero_is_seen_and_the_largest_gives_way() -> None:
    unknown, delivered = bars.widths([1, 999_999])
    assert (unknown, delivered) == pytest.approx((3.5, 996.5))


def test_a_bar_of_nothing_has_no_parts() -> None:
    found = drawn("{% outcome_bar counts %}", counts={})
    assert "<rect" not in found
    assert 'aria-label="Nothing yet"' in found


def test_an_outcome_bar_keeps_its_order_and_tells_its_numbers() -> None:
    found = drawn(
        '{% outcome_bar counts "h22" "Weekend 20 GB" %}',
        counts={"queued": 213077, "delivered": 250902, "unknown": 0},
    )
    assert 'aria-label="Weekend 20 GB: Delivered 250,902, Queued 213,077"' in found
    assert found.index("f-done") < found.index("f-queue")
    assert "f-unk" not in found


def test_unknown_is_hatched_and_not_by_colour_alone() -> None:
    found = drawn("{% outcome_bar counts %}", counts={"unknown": 12, "queued": 100})
    assert found.count('fill="url(#hatch)"') == 1
    assert 'fill="url(#hatch)"' in drawn('{% swatch "unknown" %}')


def test_a_share_is_never_drawn_wider_than_its_bar() -> None:
    assert rects(drawn("{% share_bar 120 80 %}"), "f-acc") == [1000.0]
    assert rects(drawn("{% share_bar 1 0 %}"), "f-acc") == [0.0]
    assert 'aria-label="Window, 35 %"' in drawn('{% share_bar 14 40 "f-acc" "" "Window" %}')


def test_a_bars_label_cannot_bring_markup() -> None:
    assert "<script" not in drawn("{% outcome_bar counts 'h14' label %}", counts={}, label=EVIL)


# --- forms -------------------------------------------------------------------------------------


def test_a_field_ties_its_hint_to_its_control() -> None:
    found = drawn('{% field form.name "w-m" %}', form=Paper())
    assert '<label class="l" for="id_name">Name</label>' in found
    assert 'id="id_name-hint"' in found
    assert 'aria-describedby="id_name-hint"' in found
    assert 'class="form-control w-m"' in found


def test_a_field_that_may_stay_empty_says_so() -> None:
    assert "(optional)" in drawn("{% field form.note %}", form=Paper())
    assert "(optional)" not in drawn("{% field form.name %}", form=Paper())


def test_a_list_of_which_a_line_is_always_chosen_is_not_called_optional() -> None:
    always, maybe = Paper(), Paper()
    always.fields["route"].required = maybe.fields["route"].required = False
    maybe.fields["route"].choices = [("", "As the list"), ("d", "Domestic")]  # type: ignore[attr-defined]
    assert "(optional)" not in drawn("{% field form.route %}", form=always)
    assert "(optional)" in drawn("{% field form.route %}", form=maybe)


def test_an_error_stands_at_its_field_and_in_the_summary() -> None:
    form = Paper({})
    field = drawn("{% field form.name %}", form=form)
    assert 'class="fld err"' in field
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="id_name-hint id_name-error"' in field
    assert '<a href="#id_name">' in drawn("{% error_summary form %}", form=form)


def test_a_summary_names_the_field_that_is_empty() -> None:
    assert "Name: This field is required." in drawn("{% error_summary form %}", form=Paper({}))


def test_the_summary_is_an_alert_that_can_take_the_focus() -> None:
    found = drawn("{% error_summary form %}", form=Paper({}))
    assert 'role="alert"' in found
    assert 'tabindex="-1"' in found


def test_the_summary_of_a_form_without_errors_is_nothing() -> None:
    good = Paper({"name": "a", "route": "d", "shape": "e", "days": ["mo"], "sure": "on"})
    assert drawn("{% error_summary form none %}", form=good, none=None).strip() == ""


def test_an_error_of_the_whole_form_has_no_link() -> None:
    form = Paper({"name": "a"})
    form.add_error(None, EVIL)
    found = drawn("{% error_summary form %}", form=form)
    assert "&lt;script&gt;" in found
    assert 'href="#"' not in found


def test_a_group_of_boxes_is_a_fieldset_that_an_error_points_at() -> None:
    form = Paper({})
    found = drawn("{% field form.days %}", form=form)
    assert re.search(r'<fieldset class="fld fs err" id="id_days" tabindex="-1"', found)
    assert '<legend class="l">Days</legend>' in found
    assert 'for="id_days_0"' in found
    assert '<a href="#id_days">' in drawn("{% error_summary form %}", form=form)
    assert "<script" not in found


def test_radio_buttons_are_a_fieldset_too() -> None:
    assert "<fieldset" in drawn("{% field form.shape %}", form=Paper())


def test_a_single_box_stands_before_its_words() -> None:
    found = drawn("{% field form.sure %}", form=Paper())
    assert re.search(r'<label class="ck" for="id_sure"><input type="checkbox"', found)


@pytest.mark.parametrize("name", ["name", "note"])
def test_what_was_typed_comes_back_as_text(name: str) -> None:
    form = Paper({name: EVIL})
    assert "<script" not in drawn(f"{{% field form.{name} %}}", form=form)


# --- notes, charts -----------------------------------------------------------------------------


def test_a_note_has_a_role_only_after_an_act() -> None:
    assert 'role="alert"' in drawn('{% note "bad" "" "alert" %}x{% endnote %}')
    assert "role=" not in drawn('{% note "bad" %}x{% endnote %}')


def test_what_stands_in_a_note_is_escaped_as_everywhere() -> None:
    assert "<script" not in drawn('{% note "bad" %}<p>{{ x }}</p>{% endnote %}', x=EVIL)


def test_a_charts_data_cannot_end_its_script() -> None:
    found = drawn('{% chart_data "d1" data %}', data={"label": "</script><script>alert(1)"})
    assert found.count("<script") == 1
    assert found.count("</script>") == 1
    assert 'type="application/json"' in found

"""The tokens: dark is dark in both of its places, and text stands out from its ground."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "message_center/static/mc/mc.css").read_text("utf-8")
Tokens = dict[str, str]


def tokens(selector: str) -> Tokens:
    """The custom properties of the first rule with this selector."""
    rule = CSS[CSS.index(selector) + len(selector) :]
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", rule[: rule.index("}")]))


LIGHT = tokens("\n:root, [data-bs-theme=light] {")
DARK = tokens("\n[data-bs-theme=dark] {")
PLATFORM = tokens("\n.mc-platform {")
# ink on ground, at the ratio that the size of its text needs
GROUNDS = ("canvas", "surface", "sunken", "hover")
TEXT = [(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in GROUNDS]
TEXT += [
    (tone, ground)
    for tone in ("accent", "ok", "warn", "bad", "unk")
    for ground in ("surface", "canvas", f"{tone}-soft")
]
TEXT += [("on-accent", "accent"), ("on-accent", "accent-hover"), ("ink-2", "mute-soft")]
TEXT += [("surface", "warn"), ("rail-ink", "rail"), ("rail-ink-3", "rail")]
TEXT += [("rail-on-ink", "rail-on"), ("rail-ink-3", "rail-on")]
SHAPES = [(shape, ground) for shape in ("control", "focus") for ground in ("surface", "canvas")]
SHAPES += [
    (f"d-{name}", "surface")
    for name in ("done", "wait", "defer", "fail", "refuse", "unk", "supp", "plan")
]


def luminance(colour: str) -> float:
    """Relative luminance of #rgb or #rrggbb (WCAG 2.2)."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(theme: Tokens, ink: str, ground: str) -> float:
    """The contrast of two tokens."""
    brighter, darker = sorted((luminance(theme[ink]), luminance(theme[ground])), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_a_system_that_is_dark_gets_the_same_dark_as_an_account_that_is() -> None:
    assert tokens(":root[data-bs-theme=system] {") == DARK


def test_dark_renews_every_token_of_light() -> None:
    assert DARK.keys() == LIGHT.keys()


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(theme: Tokens) -> None:
    weak = {pair: round(contrast(theme, *pair), 2) for pair in TEXT if contrast(theme, *pair) < 4.5}
    assert weak == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_shapes_stand_out_from_their_ground(theme: Tokens) -> None:
    weak = {pair: round(contrast(theme, *pair), 2) for pair in SHAPES if contrast(theme, *pair) < 3}
    assert weak == {}


def test_the_platforms_rail_can_be_read() -> None:
    for ink, ground in (("rail-ink", "rail"), ("rail-ink-3", "rail"), ("rail-on-ink", "rail-on")):
        assert contrast(PLATFORM, ink, ground) >= 4.5


def test_every_colour_outside_the_tokens_is_a_token() -> None:
    rules = CSS[CSS.index("/* --- Page and text") :]
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(", rules) == []

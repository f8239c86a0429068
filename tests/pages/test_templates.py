"""All templates at once: nothing inline, no icon that is not there, no class that nothing draws."""

import re
from pathlib import Path

import pytest

from message_center.middleware.navigation import PLATFORM, WORKSPACE
from message_center.templatetags.states import CHIPS

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
ICONS = set(
    re.findall(r'id="([\w-]+)"', (ROOT / "message_center/static/mc/icons.svg").read_text("utf-8"))
)
# What the policy would block, or what would need an exception from it.
INLINE = re.compile(
    r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|<style|javascript:|\bx-data\b|\bhx-on\b|\bhx-vals=[\"']js:"
    r"|<script(?![^>]*\b(?:src=|type=\"application/json\"))",
    re.IGNORECASE,
)


def text(path: Path) -> str:
    """A template without its comments."""
    return re.sub(
        r"{#.*?#}|{% comment.*?endcomment %}", "", path.read_text("utf-8"), flags=re.DOTALL
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_has_nothing_inline(path: Path) -> None:
    assert INLINE.findall(text(path)) == []


def test_every_icon_is_in_the_sheet() -> None:
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r'{% icon "([^"]+)"', text(path))
    }  # fmt: skip
    named |= {image for image, _, _ in CHIPS.values()}
    named |= {
        line.icon for table in (WORKSPACE, PLATFORM) for lines in table.values() for line in lines
    }
    assert named <= ICONS


def test_what_is_empty_is_drawn_by_our_own_class() -> None:
    """The framework's `empty` fills the height of its card, whose edge then cuts its last line."""
    assert [path.name for path in TEMPLATES if re.search(r'class="empty[" ]', text(path))] == []


def test_a_row_of_a_queue_without_a_link_has_the_room_of_one() -> None:
    """What pads a row is its link; text straight in it would touch the card's edge."""
    bare = [
        path.name
        for path in TEMPLATES
        for rows in re.findall(r'<[uo]l class="q">(.*?)</[uo]l>', text(path), re.DOTALL)
        for row in re.findall(r"<li>\s*(?!<a )<\w+", rows)
    ]
    assert bare == []


def test_the_way_to_a_page_begins_at_its_workspace_or_at_the_platform() -> None:
    """Also of the questions and forms: who follows a link in must see where he is."""
    own = {"sessions.html", "password.html", "account.html", "prove.html", "choose.html"}
    roots = r"workspace\.name|Platform|crumb|here\.name|shell\.place"
    wrong = [
        str(path.relative_to(ROOT))
        for path in TEMPLATES
        for first in re.findall(
            r'{% block crumbs %}(.*?)(?:{% icon "chevron-right" %}|{% endblock)', text(path)
        )
        if path.name not in own and not re.search(roots, first)
    ]
    assert wrong == []


def test_every_template_that_stands_alone_extends_one_of_the_two_frames() -> None:
    pages = [path for path in TEMPLATES if "{% block " in text(path)]
    frames = {"base.html", "bare.html"}
    wrong = [
        path.name
        for path in pages
        if path.name not in frames and not re.search(r'{% extends "[\w/]+\.html" %}', text(path))
    ]
    assert wrong == []

"""The pages about what subscribers wrote, and about the words by which they stop."""

import csv
import io
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.actions.replies import ReplyNotAssigned, assign_reply
from campaigns.models import InboundMessage, OptOut, StopWord, WorkspaceStopWord
from smpp_client import carrier
from smpp_client.models import Connection
from smpp_client.rules.codings import Coding
from tests import make as nouns
from tests.campaigns.inbound import came, wrote
from tests.make import number
from tests.workspaces import make
from tests.workspaces.log import entries
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope, scope_everywhere

pytestmark = pytest.mark.django_db

CODE = "2020"
MASKED = "+44 77 ••• ••• 00"


@dataclass
class Site:
    """A workspace with a short code, people of every role, and its connection."""

    place: Workspace
    author: Me
    moderator: Me
    wire: Connection

    def url(self, path: str = "replies/") -> str:
        return f"/w/{self.place.slug}/{path}"

    def came(self, *texts: str, index: int = 0) -> list[int]:
        """Let a subscriber write these, one after the other; return the rows' ids."""
        before = set(self.ids())
        came(self.wire, *(wrote(index, text, CODE) for text in texts))
        return [pk for pk in self.ids() if pk not in before]

    def ids(self) -> list[int]:
        with scope_everywhere("the test looks at everything"):
            return list(InboundMessage.objects.order_by("pk").values_list("pk", flat=True))


@pytest.fixture
def site(db: None) -> Site:
    place, wire = make.workspace("care"), nouns.connection()
    with scope_everywhere("the test makes rows"):
        nouns.sender(place, CODE)
        nouns.route(place, wire)
    return Site(place, make.me_in(place, Role.AUTHOR), make.me_in(place, Role.MODERATOR), wire)


@pytest.fixture
def author(site: Site) -> Client:
    return make.signed_in(site.author.user)


@pytest.fixture
def moderator(site: Site) -> Client:
    return make.signed_in(site.moderator.user)


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def body(response: Any) -> str:
    return str(response.content.decode())


# Reading


def test_the_list_shows_text_address_and_masked_number(site: Site, author: Client) -> None:
    site.came("When do you open?")
    shown = page(author, site.url())
    assert "When do you open?" in shown
    assert MASKED in shown
    assert CODE in shown
    assert number(0) not in shown


def test_the_list_of_a_workspace_without_replies_says_what_it_is_for(
    site: Site, author: Client
) -> None:
    assert "Nobody has written yet" in page(author, site.url())


def test_the_newest_stands_first_and_older_ones_on_the_next_page(
    site: Site, author: Client
) -> None:
    site.came(*(f"text {n:03}" for n in range(51)))
    first = page(author, site.url())
    assert first.index("text 050") < first.index("text 001")
    assert "text 000" not in first
    link = first.split("?before=")[1].split('"')[0]
    assert "text 000" in page(author, site.url(f"replies/?before={link}"))


def test_those_that_ask_to_stop_can_be_seen_alone(site: Site, author: Client) -> None:
    site.came("When?", "STOP it")
    shown = page(author, site.url("replies/?show=stop"))
    assert "STOP it" in shown
    assert "When?" not in shown
    assert "opted out" in shown


def test_parts_are_read_as_one_text_and_a_missing_one_is_said(site: Site, author: Client) -> None:
    octets = "Здравствуйте 😀".encode("utf-16-be")
    parts = [
        wrote(0, "", CODE, octets=octets[cut], reference=7, part=part, part_count=3)
        for part, cut in ((2, slice(27, None)), (1, slice(0, 27)))
    ]
    came(site.wire, *parts)
    shown = page(author, site.url())
    assert "Здравствуйте 😀" in shown
    assert "1 of 3 parts has not come yet." in shown


def test_what_is_no_text_says_so(site: Site, author: Client) -> None:
    came(site.wire, wrote(0, "", CODE, octets=b"\x01\x02", coding=Coding.BINARY))
    assert "Not a text" in page(author, site.url())


def test_markup_of_a_subscriber_is_text(site: Site, author: Client) -> None:
    site.came("<script>alert(1)</script>")
    assert "<script>alert(1)" not in page(author, site.url())


def test_another_workspace_sees_nothing_of_it(site: Site) -> None:
    (pk,) = site.came("When?")
    other = make.me_in(make.workspace("offers"), Role.ADMIN)
    client = make.signed_in(other.user)
    assert "When?" not in page(client, "/w/offers/replies/")
    assert client.get(f"/w/offers/replies/{pk}/").status_code == 404
    assert client.post(f"/w/offers/replies/{pk}/opt-out/").status_code == 404


def test_a_reply_shows_what_else_passed_between_the_two(site: Site, author: Client) -> None:
    first, _second = site.came("First question", "Second question")
    site.came("Of somebody else", index=1)
    shown = page(author, site.url(f"replies/{first}/"))
    assert "First question" in shown
    assert "Second question" in shown
    assert "Of somebody else" not in shown


def test_an_erased_message_says_so(site: Site, author: Client) -> None:
    (pk,) = site.came("Hello")
    with scope_everywhere("the test erases"):
        InboundMessage.objects.update(fingerprint=None, number_sealed=None, content_sealed=None)
    for url in (site.url(), site.url(f"replies/{pk}/")):
        assert "The text was erased." in page(author, url)


# Looking


def find(client: Client, site: Site, **given: str) -> str:
    values = {"number": "", "country": "GB", "words": "", **given}
    return body(client.post(site.url("replies/find/"), values)).split("Replies by what")[0]


def test_a_number_is_found_by_any_spelling(site: Site, author: Client) -> None:
    site.came("Mine")
    site.came("Not mine", index=1)
    shown = find(author, site, number="07700 900000")
    assert "Mine" in shown
    assert "Not mine" not in shown


def test_words_are_found_however_they_are_written(site: Site, author: Client) -> None:
    site.came("Où est le CAFÉ?", "Where?")
    shown = find(author, site, words="ou est le cafe")
    assert "CAFÉ" in shown
    assert "Where?" not in shown


def test_a_search_needs_a_number_or_words(site: Site, author: Client) -> None:
    assert "Type a phone number or some words, not both." in find(author, site)
    assert "Nothing was found." in find(author, site, words="nowhere")


# Opting out


def test_one_press_opts_the_writer_out(site: Site, author: Client) -> None:
    (pk,) = site.came("Leave me alone")
    shown = body(author.post(site.url(f"replies/{pk}/opt-out/"), follow=True))
    assert "The number is opted out." in shown
    with scope(site.place):
        row = OptOut.objects.get()
    assert (row.source, row.inbound_message_id, row.added_by) == ("by_hand", pk, site.author.user)
    assert entries(site.place)[-1]["op"] == "optout.add"


def test_a_writer_without_a_number_cannot_be_opted_out(site: Site, author: Client) -> None:
    came(site.wire, wrote(0, "Hi", CODE, source=carrier.Address(5, 0, "Shop")))
    (pk,) = site.ids()
    shown = body(author.post(site.url(f"replies/{pk}/opt-out/"), follow=True))
    assert "names no phone number" in shown


def test_a_viewer_reads_and_does_not_opt_out(site: Site) -> None:
    (pk,) = site.came("Hello there")
    viewer = make.signed_in(make.me_in(site.place, Role.VIEWER).user)
    shown = page(viewer, site.url())
    assert "Hello there" in shown
    assert "opt-out/" not in shown
    assert viewer.post(site.url(f"replies/{pk}/opt-out/")).status_code == 403


def test_the_list_of_opt_outs_names_the_sms_and_its_message(site: Site, author: Client) -> None:
    (pk,) = site.came("STOP")
    shown = page(author, site.url("optouts/"))
    assert "By SMS" in shown
    assert f"“STOP” to {CODE}" in shown
    assert site.url(f"replies/{pk}/") in shown


# Looking after one


def give(client: Client, site: Site, pk: int, holder: object, seen: object = "") -> str:
    """Give a message to somebody, as the page shows who has it now."""
    given = {"holder": holder or 0, "seen": seen or ""}
    return body(client.post(site.url(f"replies/{pk}/assign/"), given, follow=True))


def test_one_takes_a_reply_finds_it_under_mine_and_gives_it_back(
    site: Site, author: Client
) -> None:
    first, second = site.came("Call me back", "And me")
    me = site.author.user
    assert "Take it" in page(author, site.url())
    assert f"{me.name} looks after this reply now." in give(author, site, first, me.pk)
    mine = page(author, site.url("replies/?show=mine"))
    assert "Call me back" in mine
    assert "And me" not in mine
    assert me.name in page(author, site.url())
    entry = entries(site.place)[-1]
    assert (entry["op"], entry["obj"]["id"]) == ("reply.assign", f"inb_{first}")
    assert entry["diff"] == {"holder": [None, f"usr_{me.pk}"]}
    assert "It is nobody's now." in unescape(give(author, site, first, None, me.pk))
    assert "You look after none" in page(author, site.url("replies/?show=mine"))
    assert entries(site.place)[-1]["diff"] == {"holder": [f"usr_{me.pk}", None]}
    assert second in site.ids()


def test_a_reply_is_given_to_another_person_of_the_workspace(
    site: Site, author: Client, moderator: Client
) -> None:
    (pk,) = site.came("Call me back")
    give(author, site, pk, site.moderator.user.pk)
    assert "Call me back" in page(moderator, site.url("replies/?show=mine"))
    assert "Give it back" in page(moderator, site.url(f"replies/{pk}/"))
    assert "Give it back" not in page(author, site.url(f"replies/{pk}/"))


def test_those_with_nobody_can_be_seen_alone(site: Site, author: Client) -> None:
    first, second = site.came("Call me back", "And me")
    give(author, site, first, site.author.user.pk)
    shown = page(author, site.url("replies/?show=nobody"))
    assert "And me" in shown
    assert "Call me back" not in shown
    assert 'With nobody <span class="n">1</span>' in shown
    give(author, site, second, site.author.user.pk)
    assert "Somebody looks after each" in page(author, site.url("replies/?show=nobody"))


def test_what_somebody_else_took_meanwhile_stays_his(
    site: Site, author: Client, moderator: Client
) -> None:
    (pk,) = site.came("Call me back")
    give(moderator, site, pk, site.moderator.user.pk)
    shown = give(author, site, pk, site.author.user.pk)
    assert "Somebody else was given it meanwhile." in shown
    with scope(site.place):
        assert InboundMessage.objects.get().holder == site.moderator.user


def test_a_reply_is_given_to_nobody_outside_of_the_workspace(site: Site, author: Client) -> None:
    (pk,) = site.came("Call me back")
    stranger = make.me_in(make.workspace("offers"), Role.ADMIN).user
    assert "Choose a person of this workspace." in give(author, site, pk, stranger.pk)
    with scope(site.place), pytest.raises(ReplyNotAssigned, match="person of this workspace"):
        assign_reply(by=site.author, reply_id=pk, holder=stranger, seen=None, now=timezone.now())
    with scope(site.place):
        assert InboundMessage.objects.get().holder is None


def test_a_viewer_sees_who_looks_after_it_and_takes_nothing(site: Site, author: Client) -> None:
    (pk,) = site.came("Call me back")
    give(author, site, pk, site.author.user.pk)
    viewer = make.signed_in(make.me_in(site.place, Role.VIEWER).user)
    shown = page(viewer, site.url(f"replies/{pk}/"))
    assert site.author.user.name in shown
    assert "assign/" not in shown
    assert viewer.post(site.url(f"replies/{pk}/assign/"), {}).status_code == 403


def test_a_visiting_super_admin_gives_replies_and_is_offered_none(site: Site) -> None:
    (pk,) = site.came("Call me back")
    guest = make.user(is_super_admin=True)
    make.visit(site.place, guest)
    client = make.signed_in(guest)
    assert "Take it" not in page(client, site.url())
    shown = page(client, site.url(f"replies/{pk}/"))
    assert "Take it" not in shown
    assert "Give it" in shown


# Numbers in full


def test_a_number_is_shown_in_full_for_a_reason(site: Site, moderator: Client) -> None:
    (pk,) = site.came("Call me")
    url = site.url(f"replies/{pk}/reveal/")
    assert f"+{number(0)}" not in body(moderator.post(url, {"why": " "}))
    assert f"+{number(0)}" in body(moderator.post(url, {"why": "she asked to be called"}))
    entry = entries(site.place)[-1]
    assert (entry["op"], entry["obj"]["id"]) == ("number.reveal", f"inb_{pk}")
    assert number(0) not in str(entry)


def test_who_may_not_reveal_is_not_offered_it(site: Site, author: Client) -> None:
    (pk,) = site.came("Call me")
    assert "Show the full number" not in page(author, site.url(f"replies/{pk}/"))
    assert author.post(site.url(f"replies/{pk}/reveal/"), {"why": "x"}).status_code == 403


def rows_of(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_a_file_has_masked_numbers_and_no_formulas(site: Site, author: Client) -> None:
    site.came("=1+1", "STOP")
    head, *rows = rows_of(author.post(site.url("replies/export/"), {"show": ""}))
    assert head[:5] == ["Came", "Number", "Written to", "Text", "Asks for"]
    assert head[5:] == ["Opted out now", "Looked after by"]
    assert [row[3:] for row in rows] == [["STOP", "stop", "yes", ""], ["'=1+1", "", "yes", ""]]
    assert {row[1] for row in rows} == {f"'{MASKED}"}
    assert entries(site.place)[-1]["op"] == "replies.export"


def test_a_file_with_full_numbers_needs_a_reason(site: Site, moderator: Client) -> None:
    site.came("Hello")
    url = site.url("replies/export/")
    assert "Say why you need it." in body(moderator.post(url, {"in_full": "on", "why": ""}))
    _head, row = rows_of(moderator.post(url, {"in_full": "on", "why": "ticket 7"}))
    assert row[1] == f"'+{number(0)}"


# Words


def test_an_admin_adds_a_word_of_the_workspace_and_takes_it_away(site: Site) -> None:
    admin = make.signed_in(make.me_in(site.place, Role.ADMIN).user)
    url = site.url("optouts/words/")
    shown = body(admin.post(url, {"word": "Basta!", "kind": "stop"}, follow=True))
    assert "“Basta!” counts in this workspace." in shown
    site.came("basta")
    with scope(site.place):
        assert OptOut.objects.count() == 1
        word = WorkspaceStopWord.objects.get()
    remove = f"{url}{word.pk}/remove/"
    assert "Say why." in body(admin.post(remove, {"why": ""}))
    admin.post(remove, {"why": "too common"})
    with scope(site.place):
        assert not WorkspaceStopWord.objects.exists()
    ops = [entry["op"] for entry in entries(site.place)]
    assert [op for op in ops if op.startswith("stop_word")] == ["stop_word.add", "stop_word.remove"]


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("stop.", "This word counts in every workspace already."),
        ("?!", "Type a word, or a few"),
        ("", "Type a word."),
    ],
)
def test_a_word_that_cannot_be_added_says_why(site: Site, word: str, sentence: str) -> None:
    admin = make.signed_in(make.me_in(site.place, Role.ADMIN).user)
    url = site.url("optouts/words/")
    assert sentence in body(admin.post(url, {"word": word, "kind": "stop"}))


def test_an_author_reads_the_words(site: Site, author: Client) -> None:
    shown = page(author, site.url("optouts/words/"))
    assert "UNSUBSCRIBE" in shown
    assert "Add a word" not in shown


@pytest.fixture
def root(db: None) -> Client:
    return make.signed_in(make.user(is_super_admin=True))


def test_the_platform_adds_a_word_for_everybody(site: Site, root: Client) -> None:
    given = {"word": "Зупинити", "language": "uk", "kind": "stop"}
    shown = body(root.post("/platform/stop-words/", given, follow=True))
    assert "“Зупинити” counts in every workspace." in shown
    site.came("зупинити")
    with scope(site.place):
        assert OptOut.objects.count() == 1


def test_the_platform_takes_a_word_away_for_a_reason(root: Client) -> None:
    word = StopWord.objects.get(folded="end")
    url = f"/platform/stop-words/{word.pk}/remove/"
    assert "Take “END” away?" in page(root, url)
    root.post(url, {"why": "the name of a product"})
    assert not StopWord.objects.filter(folded="end").exists()
    assert entries()[-1]["op"] == "stop_word.remove"


def test_the_platform_sees_what_is_for_no_workspace_and_what_its_stop_did(
    site: Site, root: Client
) -> None:
    elsewhere = nouns.connection()
    came(elsewhere, wrote(0, "Hello?", "7777"), wrote(0, "STOP", CODE))
    site.came("For one workspace")
    shown = page(root, "/platform/inbound/")
    assert "Hello?" in shown
    assert "opted out of Care" in " ".join(shown.split())
    assert elsewhere.name in shown
    assert "For one workspace" not in shown
    assert number(0) not in shown


def test_the_platforms_list_is_empty_at_first(root: Client) -> None:
    assert "None" in page(root, "/platform/inbound/")

"""The pages that no other browser test opens: they fit on desk and phone, and are accessible.

tests/doors.py says which these are; what is opened here is held against it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from django.db import connection as database
from django.urls import resolve
from django.utils import timezone
from playwright.sync_api import Page, expect

from audit.actions.exports import ask
from audit.actions.record import record
from audit.rules.clock import Reading
from audit.rules.events import Obj
from campaigns.actions import running
from campaigns.actions.opt_outs import add_opt_out
from campaigns.actions.senders import archive_sender
from campaigns.actions.stop_words import add_word
from campaigns.models import Campaign, WordKind
from tests import make as nouns
from tests.audit.conftest import Log
from tests.audit.site import Site as Sealed
from tests.browsing import looks_right_everywhere
from tests.campaigns import names
from tests.campaigns.inbound import came, wrote
from tests.campaigns.test_unknown_pages import Site as Losing
from tests.campaigns.test_unknown_pages import lost, never_there
from tests.doors import LOOKED_AT
from tests.ground import Ground
from tests.processes import Handle
from tests.test_doors import root_in, settling
from tests.visitors import sign_in
from tests.workspaces import make
from workspaces.actions.mail import password_link
from workspaces.models import User
from workspaces.queries.access import installation_uuid
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope, scope_everywhere

pytestmark = pytest.mark.browser

CODE = "2020"
OURS = set(LOOKED_AT["tests/test_pages_in_browser.py"])
HOME = "/w/care/"


@dataclass(frozen=True)
class Campaigns:
    """One in each state that has a question of its own."""

    draft: Campaign
    approved: Campaign
    sending: Campaign
    paused: Campaign
    lost: Campaign


class Site:
    """The product's web process over a workspace in which everything happened once."""

    def __init__(self, url: str) -> None:
        self.url = url
        place = make.workspace("care", "Subscriber care", "Asia/Tashkent")
        member = make.member(place, Role.ADMIN, make.user("Malika Yusupova"))
        self.admin: Me = make.me(member, place, Role.ADMIN)
        self.moderator: User = make.member(place, Role.MODERATOR, make.user("Jasur Rahimov"))
        self.root = root_in(place)
        self.campaigns = self._campaigns()
        with scope(place):
            self.settling = settling(self.admin, self.campaigns.lost.pk)
            self.opt_out_id = add_opt_out(
                by=self.admin,
                text="+44 7700 900999",
                country="GB",
                words="Asked the desk",
                now=timezone.now(),
            ).pk
            self.export_id = ask(
                by=self.admin,
                since=None,
                until=None,
                shows_values=True,
                reason="Request 118-26",
                now=timezone.now(),
            ).pk
        self._name_senders()
        self.entry = record(
            "user.sign_in",
            workspace=installation_uuid(),
            actor=make.SETUP,
            obj=Obj("user", f"usr_{self.root.pk}"),
            now=timezone.now(),
            personal={"address": "192.0.2.7"},
        )
        self.word_id = add_word(
            by=make.me(self.root),
            kind=WordKind.STOP,
            language="en",
            word="Halt",
            now=timezone.now(),
        ).pk

    def _campaigns(self) -> Campaigns:
        with scope_everywhere("the test makes its rows"):
            wire = nouns.connection("smsc-a")
            nouns.connection("hub-b", is_enabled=False)
            through = nouns.route(self.admin.here, wire)
            nouns.sender(self.admin.here, CODE)
        self.reply_id = came(wire, wrote(1, "When is my line repaired?", CODE))[0].pk
        self.losing = Losing(self.admin, wire, through)
        unknown = lost(self.losing)
        with scope(self.admin.here):
            paused = nouns.sending(self.admin, through, name="Paused")
            running.pause(number=paused.number, by=self.admin, now=timezone.now())
            return Campaigns(
                draft=nouns.draft(self.admin, through, name="Draft"),
                approved=nouns.approved(self.admin, through, name="Approved"),
                sending=nouns.sending(self.admin, through, name="Sending"),
                paused=paused,
                lost=unknown,
            )

    def _name_senders(self) -> None:
        names.proposed(self.admin, "Amber")
        gone = names.in_use(self.admin, "Bright")
        with scope(self.admin.here):
            archive_sender(sender_id=gone.pk, by=self.admin, now=timezone.now())

    def paths(self) -> Iterator[tuple[User | None, str]]:
        """Yield who opens what."""
        admin, root = self.admin.user, self.root
        yield None, urlsplit(password_link(admin)).path
        for more in self._by_an_admin():
            yield admin, HOME + more
        yield self.moderator, f"{HOME}unknown/resends/{self.settling['decision_id']}/"
        yield root, f"{HOME}campaigns/{self.campaigns.draft}/delete/"
        yield root, "/platform/unknown/"
        yield root, f"/platform/stop-words/{self.word_id}/remove/"
        yield root, "/platform/connections/hub-b/enable/"
        for more in ("", f"{self.entry}/", f"{self.entry}/erase/"):
            yield root, f"/platform/audit/{more}"

    def _by_an_admin(self) -> Iterator[str]:
        own = self.campaigns
        yield f"campaigns/{own.approved}/start/"
        yield f"campaigns/{own.sending}/pause/"
        yield f"campaigns/{own.paused}/resume/"
        yield f"campaigns/{own.sending}/messages/1/reveal/"
        yield f"campaigns/{own.sending}/messages/export/"
        yield "messages/"
        yield "unknown/"
        yield "unknown/records/new/"
        yield f"unknown/records/{self.settling['records_id']}/"
        yield f"campaigns/{own.lost}/resend/"
        yield f"evidence/{self.export_id}/"
        yield "senders/Amber/withdraw/"
        yield "senders/Bright/restore/"
        yield f"optouts/{self.opt_out_id}/lift/"
        for act in ("reveal", "assign", "opt-out"):
            yield f"replies/{self.reply_id}/{act}/"


@pytest.fixture(scope="module")
def site(served: Handle, servers: Ground, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site; what happened in it is in the audit log."""
    made = Site(served.url)
    log = Log(servers, str(database.settings_dict["NAME"]))
    sealed = Sealed(log, tmp_path_factory.mktemp("log"))
    sealed.sequencer.step(Reading(timezone.now(), time.monotonic()))
    log.close()
    return made


def test_every_other_page_fits_and_is_accessible(site: Site, page: Page) -> None:
    wrong: list[str] = []
    opened: set[str] = set()

    def look() -> None:
        opened.add(resolve(urlsplit(page.url).path).view_name)
        wrong.extend(looks_right_everywhere(page))

    for who, path in site.paths():
        if who is not None:
            sign_in(page, site.url, who)
        page.goto(site.url + path)
        look()

    sign_in(page, site.url, site.admin.user)
    for path, answer in (("optouts/", "optouts/find/"), ("replies/", "replies/find/")):
        page.goto(f"{site.url}{HOME}{path}")
        form = page.locator(f"form[action='{HOME}{answer}']")
        form.locator("input[name=number]").fill("+44 7700 900999")
        form.locator("button").click()
        page.wait_for_url(f"**/{answer}")
        look()

    assert wrong == []
    assert opened == OURS


def test_two_people_send_again_what_was_never_at_the_smsc(site: Site, page: Page) -> None:
    campaign = lost(site.losing)
    never_there(campaign, [0, 2])
    sign_in(page, site.url, site.admin.user)
    page.goto(f"{site.url}{HOME}unknown/")
    card = page.get_by_role("region", name="Never at the SMSC")
    row = card.get_by_role("row").filter(has_text=str(campaign))
    expect(row.get_by_role("cell").nth(1)).to_have_text("2")
    wrong = looks_right_everywhere(page)
    row.get_by_role("link", name="Ask for all of them").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 messages again that were never")
    wrong += looks_right_everywhere(page)
    page.get_by_label("Why").fill("The SMSC never had them.")
    page.get_by_role("button", name="Ask for 2 messages").click()
    expect(page.get_by_text("You asked for it: another person approves.")).to_be_visible()
    expect(page.get_by_role("button", name="Send 2 messages again")).to_have_count(0)
    asked = page.url
    sign_in(page, site.url, site.moderator)
    page.goto(asked)
    expect(page.get_by_text("By its own call records the SMSC never had them.")).to_be_visible()
    wrong += looks_right_everywhere(page)
    page.get_by_role("button", name="Send 2 messages again").click()
    expect(page.get_by_text("2 messages went out again")).to_be_visible()
    page.goto(f"{site.url}{HOME}unknown/")
    expect(card.get_by_text(str(campaign), exact=True)).to_have_count(0)
    assert wrong == []

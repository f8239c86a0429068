"""Sample teams, people, senders, lists and campaigns for the demo.

Everything goes through the product's own verbs.
"""

import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.rules.events import Actor
from campaigns.actions import building, drafts, imports, lists, review
from campaigns.actions.sender_review import approve_revision
from campaigns.actions.senders import Proposal, create_sender
from campaigns.management import demo
from campaigns.models import Campaign, Mode, Priority, RecipientList, Sender
from campaigns.queries.blockers import count_to_confirm
from campaigns.rules.campaign_states import State
from campaigns.rules.layouts import Wish
from smpp_client.actions.connections import add_connection
from smpp_client.actions.noting import COMMAND_LINE
from smpp_client.actions.routes import create_route, grant_route
from smpp_client.models import Connection, Route
from smpp_client.queries.connection_settings import ConnectionSettings
from smpp_client.simulator.subscribers import taken_name
from workspaces.actions.members import add_member
from workspaces.actions.users import create_user
from workspaces.actions.workspaces import create_workspace
from workspaces.models import User, Workspace
from workspaces.queries.access import role_in
from workspaces.queries.me import Me
from workspaces.rules.permissions import PERMISSIONS
from workspaces.scope import scope

ACTOR = Actor(kind="system", id="seed")
CONNECTION = "simulator"
ROUTE = "domestic"
PLATFORM = "platform@demo.example"
SPREAD_MINUTES = 45
SPREAD_PEOPLE = 9_000
NOTICE_PEOPLE = 300


class Command(BaseCommand):
    """`manage.py seed_demo`: makes what is missing, and always leaves a spread campaign running."""

    help = "Makes the demo's sample data and starts its campaign; refused where DEBUG is off."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo's accounts are for DEBUG only; nothing was made.")
        now = timezone.now()
        _platform(now)
        route = _wire(now)
        for team in demo.TEAMS:
            _team(team, route, now)
            _short_code(team, now)
        _keep_one_running(route, now)
        _let_subscribers_write()
        self._say_accounts()

    def _say_accounts(self) -> None:
        self.stdout.write(f"Demo accounts, all with the password {demo.PASSWORD}")
        self.stdout.write(f"  {PLATFORM}  platform team (super admin)")
        for team in demo.TEAMS:
            people = ", ".join(f"{role}@{team.slug}.example" for role, _role in demo.PEOPLE)
            self.stdout.write(f"  {team.name}: {people}")


def _platform(now: datetime) -> None:
    if not User.objects.filter(email=PLATFORM).exists():
        create_user(
            email=PLATFORM,
            name="Kamol Ergashev",
            by_actor=ACTOR,
            now=now,
            password=demo.PASSWORD,
            is_super_admin=True,
            is_demo=True,
        )


def _wire(now: datetime) -> Route:
    """Connect to the simulator beside us, with the certificates that the demo made."""
    data = Path(settings.DATA_DIR)
    if not Connection.objects.filter(name=CONNECTION).exists():
        folder = data / "certificates"
        add_connection(
            name=CONNECTION,
            settings=ConnectionSettings(
                host="127.0.0.1",
                port=json.loads((data / "ports.json").read_text("utf-8"))["simulator"],
                system_id=demo.SYSTEM_ID,
                server_name="localhost",
                ca_file=str(folder / "ca.pem"),
                cert_file=str(folder / "client.pem"),
                key_file=str(folder / "client.key"),
                rate=100,
                window=50,
            ),
            password=(data / "secrets" / "smpp_password").read_text("utf-8").strip(),
            by=COMMAND_LINE,
            now=now,
        )
    route = Route.objects.filter(name=ROUTE).first()
    return route or create_route(name=ROUTE, weights={CONNECTION: 1}, by=COMMAND_LINE, now=now)


def _team(team: demo.Team, route: Route, now: datetime) -> None:
    """Make a workspace with its people, sender name and list, once."""
    place = Workspace.objects.filter(slug=team.slug).first()
    if place is not None:
        return
    place = create_workspace(
        slug=team.slug, name=team.name, zone="Asia/Tashkent", by_actor=ACTOR, now=now
    )
    for (role, value), name in zip(demo.PEOPLE, demo.PERSON_NAMES[team.slug], strict=True):
        user = create_user(
            email=f"{role}@{team.slug}.example",
            name=name,
            by_actor=ACTOR,
            now=now,
            password=demo.PASSWORD,
            is_demo=True,
        )
        add_member(workspace=place, user=user, role=value, by_actor=ACTOR, now=now)
    grant_route(name=route.name, workspace=place, by=COMMAND_LINE, now=now)
    with scope(place):
        sender = _sender(place, team, team.sender, now)
        _first_campaigns(place, team, sender, route, now)


def _short_code(team: demo.Team, now: datetime) -> None:
    """Let a team have its short code: a name of letters cannot be answered."""
    place = Workspace.objects.get(slug=team.slug)
    with scope(place):
        if team.code and not Sender.objects.filter(workspace=place, value=team.code).exists():
            _sender(place, team, team.code, now)


def _let_subscribers_write() -> None:
    """Leave the simulator what subscribers write, once in the life of a data folder."""
    file = Path(settings.DATA_DIR) / demo.SUBSCRIBERS
    if file.exists() or taken_name(file).exists():
        return
    messages = [
        {
            "system_id": demo.SYSTEM_ID,
            "source": demo.digits(one.index),
            "destination": one.code,
            "text": one.text,
            "after": one.after,
        }
        for one in demo.REPLIES
    ]
    part = file.with_suffix(".part")
    part.write_text("".join(f"{json.dumps(one)}\n" for one in messages), "utf-8")
    part.replace(file)


def _sender(place: Workspace, team: demo.Team, value: str, now: datetime) -> Sender:
    admin, moderator = _me(place, "admin"), _me(place, "moderator")
    proposal = Proposal(
        value=value,
        category=team.category,
        legal_entity="Registon Mobile",
        purpose=team.purpose,
        sample_text=team.sample,
    )
    sender = create_sender(by=admin, proposal=proposal, now=now)
    approve_revision(sender_id=sender.pk, seen=1, by=moderator, words="Registered.", now=now)
    sender.refresh_from_db()
    return sender


def _first_campaigns(
    place: Workspace, team: demo.Team, sender: Sender, route: Route, now: datetime
) -> None:
    """Give each team something of its own to look at."""
    common = {"sender_id": sender.pk, "route_id": route.pk}
    if team.slug == "network-ops":
        people = _list(place, "Tashkent north, cells 4 to 9", 10_000, NOTICE_PEOPLE, now)
        notice = {**common, "name": "Equipment renewal, Saturday", "text": demo.NOTICE_TEXT}
        _approved(
            place,
            {**notice, "mode": Mode.ON_DEMAND, "recipient_list_id": people.pk},
            now,
        )
    elif team.slug == demo.SPREAD_TEAM:
        _list(place, "Weekend 20 GB, November", 20_000, SPREAD_PEOPLE, now)
    elif team.slug == "roaming":
        people = _list(place, "Travellers, week 47", 40_000, 500, now)
        start = now + timedelta(days=1)
        advisory = {**common, "name": "Roaming tips, winter", "text": demo.ROAM_TEXT}
        plan = {"mode": Mode.SPREAD, "starts_at": start, "ends_at": start + timedelta(hours=6)}
        _in_review(place, {**advisory, **plan, "recipient_list_id": people.pk}, now)
    else:
        _trigger(place, team, common, now)


def _trigger(place: Workspace, team: demo.Team, common: dict[str, Any], now: datetime) -> None:
    """Open a trigger that the API pushes into."""
    codes = [_slot("code", "code", 8), _slot("minutes", "number", 3)]
    balance = [_slot("amount", "amount", 16), _slot("day", "date", 20)]
    is_vas = team.slug == "vas"
    _approved(
        place,
        {
            **common,
            "name": "Sign-in codes" if is_vas else "Balance on request",
            "text": demo.CODE_TEXT if is_vas else demo.BALANCE_TEXT,
            "slots": codes if is_vas else balance,
            "mode": Mode.TRIGGER,
            "priority": Priority.TRANSACTIONAL,
            "daily_cap": 100_000,
            "ends_at": now + timedelta(days=180),
        },
        now,
    )


def _slot(name: str, kind: str, longest: int) -> dict[str, Any]:
    return {"name": name, "type": kind, "max_length": longest}


def _keep_one_running(route: Route, now: datetime) -> None:
    """Start our spread campaign unless it is under way: the first page shows real progress."""
    place = Workspace.objects.get(slug=demo.SPREAD_TEAM)
    with scope(place):
        at_work = [State.SENDING, State.APPROVED, State.SCHEDULED, State.PAUSED, State.HELD]
        ours = Campaign.objects.filter(workspace=place, name=demo.SPREAD_NAME)
        if ours.filter(state__in=at_work).exists():
            return
        people = RecipientList.objects.get(workspace=place, name="Weekend 20 GB, November")
        sender = Sender.objects.get(workspace=place, value="Registon")
        start = now + timedelta(seconds=2)
        _approved(
            place,
            {
                "name": demo.SPREAD_NAME,
                "purpose": "The November weekend offer to prepaid subscribers",
                "text": demo.SPREAD_TEXT,
                "sender_id": sender.pk,
                "route_id": route.pk,
                "recipient_list_id": people.pk,
                "mode": Mode.SPREAD,
                "priority": Priority.PROMOTIONAL,
                "starts_at": start,
                "ends_at": start + timedelta(minutes=SPREAD_MINUTES),
            },
            now,
        )


def _list(place: Workspace, name: str, first: int, count: int, now: datetime) -> RecipientList:
    """Upload and import a list as its author would."""
    author = _me(place, "author")
    content = "\n".join(demo.rows(first, count)).encode()
    lst = lists.start_upload(
        by=author, file_name="subscribers.csv", size_bytes=len(content), now=now, name=name
    )
    lists.append(by=author, list_id=lst.pk, offset=0, stream=io.BytesIO(content), now=now)
    lists.finish_upload(by=author, list_id=lst.pk, now=now)
    choice = lists.Choice(number_column=0, country="US", names={1: "name", 2: "plan"}, wish=Wish())
    lists.choose_columns(by=author, list_id=lst.pk, choice=choice, now=now)
    while not imports.import_chunk(lst.pk, timezone.now()).is_done:
        pass
    lst.refresh_from_db()
    return lst


def _in_review(place: Workspace, fields: dict[str, Any], now: datetime) -> Campaign:
    author = _me(place, "author")
    campaign = drafts.create_draft(by=author, fields=fields, now=now)
    building.start_build(number=campaign.number, by=author, now=now)
    while not building.build_chunk(campaign.pk, timezone.now()).is_done:
        pass
    campaign.refresh_from_db()
    return review.submit(
        number=campaign.number,
        by=author,
        typed_count=count_to_confirm(campaign),
        now=timezone.now(),
    )


def _approved(place: Workspace, fields: dict[str, Any], now: datetime) -> Campaign:
    """Have the author write it and the moderator approve it; the sweep starts it."""
    campaign = _in_review(place, fields, now)
    return review.approve(
        number=campaign.number,
        by=_me(place, "moderator"),
        seen=review.digest_of(campaign.pk).hex(),
        now=timezone.now(),
    )


def _me(place: Workspace, role: str) -> Me:
    user = User.objects.get(email=f"{role}@{place.slug}.example")
    held = role_in(place, user)
    assert held is not None
    return Me(
        user=user,
        workspace=place,
        role=held,
        permissions=PERMISSIONS[held],
        request_id="seed",
        session_id="seed",
    )

"""Plain functions that make nouns.

Each writes what it needs and returns the row; `NOW` is the tests' present.
"""

import itertools
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from campaigns.actions import building, drafts, review, running
from campaigns.models import (
    Campaign,
    ListState,
    Mode,
    Recipient,
    RecipientList,
    RevisionState,
    Sender,
    SenderDecision,
    SenderRevision,
)
from campaigns.queries.blockers import count_to_confirm
from campaigns.rules.sender_names import skeleton
from smpp_client.models import Connection, Route, RouteConnection, RouteGrant
from workspaces.actions.sessions import begin_session
from workspaces.models import Membership, Person, User, Workspace
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.rules.permissions import PERMISSIONS, Role

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
# A list may be of a million people; one statement for all of them would be half a gigabyte.
ROWS_A_TIME = 5_000
_count = itertools.count(1)
# A range reserved for fiction.
FIRST_NUMBER = 447700900000
BRITISH_COUNT = 1_000
FIRST_AREA = 201


def workspace(slug: str = "", **fields: Any) -> Workspace:
    """Make a workspace."""
    slug = slug or f"team-{next(_count)}"
    values = {"name": slug.title(), "zone": "UTC", "created_at": NOW, **fields}
    return Workspace.objects.create(slug=slug, **values)


def user(name: str = "", *, is_super_admin: bool = False, **fields: Any) -> User:
    """Make an account of a person of its own, with the password `correct horse battery`."""
    name = name or f"Person {next(_count)}"
    person = fields.pop("person", None) or Person.objects.create(name=name)
    account = User(
        email=fields.pop("email", f"user{next(_count)}@example.com"),
        person=person,
        is_super_admin=is_super_admin,
        created_at=NOW,
        **fields,
    )
    account.set_password("correct horse battery")
    account.save()
    return account


def member(place: Workspace, role: Role, name: str = "") -> User:
    """Make a user with a role in a workspace; Role.SUPER_ADMIN makes one without a membership."""
    account = user(name, is_super_admin=role is Role.SUPER_ADMIN)
    if role is not Role.SUPER_ADMIN:
        Membership.objects.create(workspace=place, user=account, role=role, created_at=NOW)
    return account


def me(account: User, place: Workspace, role: Role) -> Me:
    """Return the caller as the gate would make him."""
    return Me(
        user=account,
        workspace=place,
        role=role,
        permissions=PERMISSIONS[role],
        request_id="test-request",
        session_id="test-session",
    )


def person_in(place: Workspace, role: Role, name: str = "") -> Me:
    """Make a member and return him as a caller."""
    return me(member(place, role, name), place, role)


def connection(name: str = "", **fields: Any) -> Connection:
    """Make a connection; the password is `secret`."""
    name = name or f"smsc-{next(_count)}"
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 2775,
        "system_id": "center",
        "password_sealed": keys().seal("secret", f"connection.password:{name}"),
        "created_at": NOW,
        **fields,
    }
    return Connection.objects.create(name=name, **values)


def route(place: Workspace, *connections: Connection) -> Route:
    """Make a route over connections of equal weight, granted to a workspace."""
    made = Route.objects.create(name=f"route-{next(_count)}", created_at=NOW)
    for one in connections:
        RouteConnection.objects.create(route=made, connection=one)
    RouteGrant.objects.create(workspace=place, route=made, created_at=NOW)
    return made


def sender(place: Workspace, value: str = "") -> Sender:
    """Make a sender name with an approved first revision, proposed and approved by two people."""
    value = value or f"Team{next(_count)}"
    proposer, approver = member(place, Role.ADMIN), member(place, Role.MODERATOR)
    made = Sender.objects.create(
        workspace=place,
        value=value,
        skeleton=skeleton(value),
        created_by=proposer,
        created_at=NOW,
    )
    revision = SenderRevision.objects.create(
        workspace=place,
        sender=made,
        number=1,
        value=value,
        ton=5,
        npi=0,
        category="service",
        legal_entity="Example Telecom",
        purpose="Service messages",
        sample_text="Your balance is 10.",
        proposed_by=proposer,
        proposed_person=proposer.person,
        proposed_at=NOW,
    )
    SenderDecision.objects.create(
        workspace=place,
        revision=revision,
        is_approval=True,
        decided_by=approver,
        decided_person=approver.person,
        proposed_person=proposer.person,
        decided_at=NOW,
    )
    revision.state = RevisionState.APPROVED
    revision.decided_at = NOW
    revision.save(update_fields=["state", "decided_at"])
    made.approved_revision = revision
    made.save(update_fields=["approved_revision"])
    return made


def number(index: int) -> str:
    """Return the clear number of row `index` (0 to 59,999) in digits, from the ranges reserved for
    fiction.

    The first thousand are British (07700 900xxx), the others North American (555-01xx).
    """
    if index < BRITISH_COUNT:
        return str(FIRST_NUMBER + index)
    area, line = divmod(index - BRITISH_COUNT, 100)
    return f"1{FIRST_AREA + area}5550{100 + line}"


def recipient_list(
    place: Workspace,
    uploader: User,
    values: Sequence[Mapping[str, str]],
    *,
    columns: Sequence[str] = ("name",),
) -> RecipientList:
    """Make a ready list; row i has number(i) and values[i]."""
    made = RecipientList.objects.create(
        workspace=place,
        name=f"List {next(_count)}",
        state=ListState.READY,
        columns=list(columns),
        row_count=len(values),
        valid_count=len(values),
        uploaded_by=uploader,
        uploaded_person=uploader.person,
        created_at=NOW,
        touched_at=NOW,
        ready_at=NOW,
    )
    seal = keys()
    people = (
        Recipient(
            workspace=place,
            recipient_list=made,
            row_number=index + 2,
            fingerprint=seal.fingerprint(number(index)),
            number_sealed=seal.seal_number(number(index), place.pk),
            values=dict(row),
        )
        for index, row in enumerate(values)
    )
    Recipient.objects.bulk_create(people, batch_size=ROWS_A_TIME)
    return made


def draft(author: Me, through: Route, rows: int = 5, **fields: Any) -> Campaign:
    """Make a draft to `rows` people that lacks nothing; on demand unless told otherwise."""
    place = author.here
    people = [{"name": f"Name{index}"} for index in range(rows)]
    values: dict[str, Any] = {
        "name": "Balance",
        "text": "Hello {{name}}",
        "mode": Mode.ON_DEMAND,
        "route_id": through.pk,
        **fields,
    }
    values.setdefault("sender_id", sender(place).pk)
    if values["mode"] != Mode.TRIGGER and "recipient_list_id" not in values:
        values["recipient_list_id"] = recipient_list(place, author.user, people).pk
    return drafts.create_draft(by=author, fields=values, now=timezone.now())


def ready(author: Me, through: Route, rows: int = 5, **fields: Any) -> Campaign:
    """Make a campaign whose audience is frozen."""
    campaign = draft(author, through, rows, **fields)
    now = timezone.now()
    building.start_build(number=campaign.number, by=author, now=now)
    while not building.build_chunk(campaign.pk, now).is_done:
        pass
    campaign.refresh_from_db()
    return campaign


def in_review(author: Me, through: Route, rows: int = 5, **fields: Any) -> Campaign:
    """Make a campaign that waits for a moderator."""
    campaign = ready(author, through, rows, **fields)
    return review.submit(
        number=campaign.number,
        by=author,
        typed_count=count_to_confirm(campaign),
        now=timezone.now(),
    )


def approved(author: Me, through: Route, rows: int = 5, **fields: Any) -> Campaign:
    """Make a campaign that another person has approved."""
    campaign = in_review(author, through, rows, **fields)
    moderator = person_in(author.here, Role.MODERATOR)
    seen = review.digest_of(campaign.pk).hex()
    return review.approve(number=campaign.number, by=moderator, seen=seen, now=timezone.now())


def sending(author: Me, through: Route, rows: int = 5, **fields: Any) -> Campaign:
    """Make a campaign that is sending."""
    campaign = approved(author, through, rows, **fields)
    running.start(number=campaign.number, by=author, now=timezone.now())
    campaign.refresh_from_db()
    return campaign


def window(hours: float = 2) -> dict[str, Any]:
    """Return the plan of a spread that began a moment ago."""
    start = timezone.now() - timedelta(seconds=1)
    return {"starts_at": start, "ends_at": start + timedelta(hours=hours)}


def sign_in(client: Client, account: User, *, started_at: datetime | None = None) -> str:
    """Give the client a real session of this account, begun now, and return its public id."""
    at = started_at or timezone.now()
    client.force_login(account)
    public_id = secrets.token_urlsafe(12)
    session = client.session
    session["started_at"] = session["seen_at"] = at.isoformat()
    session["public_id"] = public_id
    session.save()
    begin_session(
        user=account,
        key=session.session_key or "",
        public_id=public_id,
        address="127.0.0.1",
        browser="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        now=at,
    )
    return public_id

"""Two people at once: what holds when nobody waits for anybody."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import TypeVar

import pytest
from django.db import connections

from tests.conftest import Database
from tests.workspaces import make
from workspaces.actions.guesses import LockedOut
from workspaces.actions.invitations import accept_invitation, invite
from workspaces.actions.members import MemberRefused, change_role, remove_member
from workspaces.actions.sign_in import SignInRefused, recognise
from workspaces.actions.users import UserRefused, change_super_admin
from workspaces.models import Membership, User
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope

NOW = make.NOW
T = TypeVar("T")


def at_once(acts: Sequence[Callable[[], T]]) -> list[T | Refusal]:
    """Run all acts at the same moment, each on a connection of its own."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], T]) -> T | Refusal:
        barrier.wait(timeout=30)
        try:
            return act()
        except Refusal as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_many_guesses_at_once_are_not_more_than_five(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.user("Dora", email="dora@example.com", password=make.PASSWORD)
    checked: list[str] = []
    lock = Lock()

    def counting(self: User, password: str) -> bool:
        with lock:
            checked.append(password)
        return False

    monkeypatch.setattr(User, "check_password", counting)

    def guess() -> User:
        return recognise(
            email="dora@example.com", password="not this", address="192.0.2.7", now=NOW
        )

    outcomes = at_once([guess] * 12)
    assert len(checked) == 5
    assert sum(isinstance(outcome, LockedOut) for outcome in outcomes) == 8
    assert sum(isinstance(outcome, SignInRefused) for outcome in outcomes) == 4


def test_an_invitation_is_accepted_once_by_two_browsers(database: Database) -> None:
    care = make.workspace("care")
    admin = make.me_in(care, Role.ADMIN)
    ann = make.user("Ann", email="ann@example.com")
    with scope(care):
        new = invite(email="ann@example.com", role="author", by=admin, now=NOW)
    new.invitation.workspace = care

    def accept() -> Membership:
        return accept_invitation(invitation=new.invitation, user=ann, now=NOW)

    outcomes = at_once([accept] * 4)
    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == 1
    with scope(care):
        assert Membership.objects.filter(user=ann).count() == 1


def test_two_admins_cannot_take_each_others_role(database: Database) -> None:
    care = make.workspace("care")
    first, second = make.me_in(care, Role.ADMIN), make.me_in(care, Role.ADMIN)

    def demote(by: Me, whom: User) -> Callable[[], None]:
        def act() -> None:
            with scope(care):
                change_role(
                    user_id=whom.pk,
                    role="viewer",
                    seen="admin",
                    by=by,
                    now=NOW,
                )

        return act

    outcomes = at_once([demote(first, second.user), demote(second, first.user)])
    assert sum(isinstance(outcome, MemberRefused) for outcome in outcomes) == 1
    with scope(care):
        assert Membership.objects.filter(role=Role.ADMIN).count() == 1


def test_removing_and_demoting_at_once_leave_an_admin(database: Database) -> None:
    care = make.workspace("care")
    one, two = make.me_in(care, Role.ADMIN), make.me_in(care, Role.ADMIN)

    def remove() -> None:
        with scope(care):
            remove_member(user_id=two.user.pk, by=one, now=NOW)

    def demote() -> None:
        with scope(care):
            change_role(user_id=one.user.pk, role="viewer", seen="admin", by=two, now=NOW)

    at_once([remove, demote])
    with scope(care):
        assert Membership.objects.filter(role=Role.ADMIN).count() == 1


def test_two_super_admins_cannot_take_each_others_standing(database: Database) -> None:
    first = make.me(make.user(is_super_admin=True))
    second = make.me(make.user(is_super_admin=True))

    def take(by: Me, whom: User) -> Callable[[], None]:
        def act() -> None:
            change_super_admin(
                user_id=whom.pk,
                is_super_admin=False,
                by=by,
                why="A race",
                now=NOW,
            )

        return act

    outcomes = at_once([take(first, second.user), take(second, first.user)])
    assert sum(isinstance(outcome, UserRefused) for outcome in outcomes) == 1
    assert User.objects.filter(is_super_admin=True).count() == 1

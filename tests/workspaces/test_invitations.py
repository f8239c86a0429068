"""Invitations: single use, dated, revocable, for one address only."""

from datetime import timedelta

import pytest

from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.actions.invitations import (
    InvitationRefused,
    NewInvitation,
    accept_as_new,
    accept_invitation,
    invite,
    invite_again,
    revoke_invitation,
    token_hash,
)
from workspaces.actions.passwords import PasswordRefused
from workspaces.actions.users import UserRefused
from workspaces.models import Invitation, User, Workspace
from workspaces.queries.me import Me
from workspaces.queries.members import invitation_by_hash
from workspaces.rules.permissions import Role
from workspaces.scope import scope, scope_everywhere

NOW = make.NOW
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


def invited(admin: Me, email: str = "ann@example.com", role: str = "author") -> NewInvitation:
    with scope(admin.here):
        return invite(email=email, role=role, by=admin, now=NOW)


def found(new: NewInvitation) -> Invitation:
    with scope_everywhere("as the invited person's page does"):
        invitation = invitation_by_hash(token_hash(new.token))
    assert invitation is not None
    return invitation


def test_only_the_hash_of_the_token_is_kept(admin: Me) -> None:
    new = invited(admin)
    assert new.invitation.token_hash == token_hash(new.token)
    assert len(new.token) >= 43
    assert found(new) == new.invitation


def test_the_log_has_the_role_and_not_the_address(admin: Me, care: Workspace) -> None:
    new = invited(admin)
    entry = entries(care)[-1]
    assert (entry["op"], entry["obj"]["id"]) == ("invitation.create", f"inv_{new.invitation.pk}")
    assert entry["diff"] == {"role": [None, "author"]}
    assert "ann@" not in str(entry)


def test_a_known_account_joins_with_the_invited_role(admin: Me, care: Workspace) -> None:
    ann = make.user("Ann", email="Ann@example.com")
    accept_invitation(invitation=found(invited(admin)), user=ann, now=NOW + DAY)
    assert make.membership(care, ann).role == "author"
    assert make.membership(care, ann).granted_by == admin.user
    assert [op for op, _obj, _diff in ops(care)][-2:] == ["invitation.accept", "member.add"]


def test_a_new_person_gets_an_account_and_joins(admin: Me, care: Workspace) -> None:
    ann = accept_as_new(
        invitation=found(invited(admin)), name="Ann Lee", password=make.PASSWORD, now=NOW + DAY
    )
    assert ann.email == "ann@example.com"
    assert ann.check_password(make.PASSWORD)
    assert make.membership(care, ann).role == "author"


def test_an_invitation_is_used_once(admin: Me) -> None:
    invitation = found(invited(admin))
    ann = accept_as_new(invitation=invitation, name="Ann", password=make.PASSWORD, now=NOW)
    with pytest.raises(InvitationRefused, match="not open any more"):
        accept_invitation(invitation=invitation, user=ann, now=NOW)


def test_an_invitation_is_for_its_address_only(admin: Me) -> None:
    with pytest.raises(InvitationRefused, match="another e-mail address"):
        accept_invitation(invitation=found(invited(admin)), user=make.user("Bob"), now=NOW)


def test_an_invitation_ends_after_seven_days(admin: Me, care: Workspace) -> None:
    ann = make.user("Ann", email="ann@example.com")
    invitation = found(invited(admin))
    with pytest.raises(InvitationRefused, match="not open any more"):
        accept_invitation(invitation=invitation, user=ann, now=NOW + 7 * DAY)
    accept_invitation(invitation=invitation, user=ann, now=NOW + 7 * DAY - timedelta(seconds=1))
    assert make.membership(care, ann).role == "author"


def test_a_revoked_invitation_lets_nobody_in(admin: Me) -> None:
    ann = make.user("Ann", email="ann@example.com")
    invitation = found(invited(admin))
    with scope(admin.here):
        revoke_invitation(invitation_id=invitation.pk, by=admin, now=NOW)
    with pytest.raises(InvitationRefused, match="not open any more"):
        accept_invitation(invitation=invitation, user=ann, now=NOW)


def test_sending_again_kills_the_old_link_and_moves_the_end(admin: Me, care: Workspace) -> None:
    ann = make.user("Ann", email="ann@example.com")
    first = invited(admin)
    old = found(first)
    with scope(care):
        second = invite_again(invitation_id=old.pk, by=admin, now=NOW + 6 * DAY)
    with pytest.raises(InvitationRefused, match="not open any more"):
        accept_invitation(invitation=old, user=ann, now=NOW + 6 * DAY)
    accept_invitation(invitation=found(second), user=ann, now=NOW + 12 * DAY)


def test_a_refused_password_leaves_the_invitation_open(admin: Me) -> None:
    invitation = found(invited(admin))
    with pytest.raises(PasswordRefused):
        accept_as_new(invitation=invitation, name="Ann", password="short", now=NOW)
    assert not User.objects.filter(email="ann@example.com").exists()
    accept_as_new(invitation=invitation, name="Ann", password=make.PASSWORD, now=NOW)


def test_an_address_has_one_open_invitation_a_workspace(admin: Me) -> None:
    invited(admin)
    with pytest.raises(InvitationRefused, match="has an open invitation") as refused:
        invited(admin, "ANN@example.com")
    assert refused.value.field == "email"


def test_a_member_is_not_invited(admin: Me, care: Workspace) -> None:
    make.member(care, Role.VIEWER, make.user(email="ann@example.com"))
    with pytest.raises(InvitationRefused, match="already a member"):
        invited(admin)


def test_nobody_invites_an_account_of_his_own(admin: Me) -> None:
    make.user("Second", email="second@example.com", person=admin.user.person)
    with pytest.raises(InvitationRefused, match="Nobody invites himself"):
        invited(admin, "second@example.com", "admin")


def test_an_address_that_is_none_is_refused(admin: Me) -> None:
    with pytest.raises(UserRefused, match="Enter an e-mail address"):
        invited(admin, "ann")


def test_another_workspaces_invitation_cannot_be_touched(admin: Me) -> None:
    other = make.me_in(make.workspace("roaming"))
    invitation = invited(admin).invitation
    with scope(other.here), pytest.raises(InvitationRefused):
        revoke_invitation(invitation_id=invitation.pk, by=other, now=NOW)
    with scope(other.here), pytest.raises(InvitationRefused):
        invite_again(invitation_id=invitation.pk, by=other, now=NOW)

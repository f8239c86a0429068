"""Members: added, given another role, removed; nobody changes his own standing."""

from datetime import timedelta

import pytest

from tests.workspaces import make
from tests.workspaces.log import ops
from workspaces.actions.members import MemberRefused, add_member, change_role, remove_member
from workspaces.models import ApiKey, Membership
from workspaces.queries.members import members
from workspaces.rules.permissions import Role
from workspaces.scope import scope

NOW = make.NOW + timedelta(hours=1)

pytestmark = pytest.mark.django_db


def test_an_admin_gives_a_member_another_role_and_the_log_says_from_what() -> None:
    care = make.workspace("care")
    admin, author = make.me_in(care), make.member(care, Role.AUTHOR)
    with scope(care):
        change_role(user_id=author.pk, role="moderator", seen="author", by=admin, now=NOW)
    assert make.membership(care, author).role == "moderator"
    assert make.membership(care, author).granted_by == admin.user
    assert ops(care)[-1] == ("role.grant", f"usr_{author.pk}", {"role": ["author", "moderator"]})


def test_nobody_promotes_himself() -> None:
    care = make.workspace("care")
    make.member(care, Role.ADMIN)
    admin = make.me_in(care, Role.ADMIN)
    with scope(care), pytest.raises(MemberRefused, match="Nobody changes his own role"):
        change_role(user_id=admin.user.pk, role="moderator", seen="admin", by=admin, now=NOW)


def test_nobody_promotes_his_other_account() -> None:
    care = make.workspace("care")
    admin = make.me_in(care, Role.ADMIN)
    other = make.member(care, Role.VIEWER, make.user("Second", person=admin.user.person))
    with scope(care), pytest.raises(MemberRefused, match="Nobody changes his own role"):
        change_role(user_id=other.pk, role="admin", seen="viewer", by=admin, now=NOW)


def test_the_last_admin_keeps_the_role() -> None:
    care = make.workspace("care")
    last = make.member(care, Role.ADMIN)
    visitor = make.me(make.user(is_super_admin=True), care, Role.SUPER_ADMIN)
    with scope(care), pytest.raises(MemberRefused, match="at least one admin"):
        change_role(user_id=last.pk, role="viewer", seen="admin", by=visitor, now=NOW)
    with scope(care), pytest.raises(MemberRefused, match="at least one admin"):
        remove_member(user_id=last.pk, by=visitor, now=NOW)


def test_one_of_two_admins_can_be_given_another_role() -> None:
    care = make.workspace("care")
    other, admin = make.member(care, Role.ADMIN), make.me_in(care)
    with scope(care):
        change_role(user_id=other.pk, role="viewer", seen="admin", by=admin, now=NOW)
    assert make.membership(care, other).role == "viewer"


def test_a_disabled_admin_does_not_count_as_the_one_who_stays() -> None:
    care = make.workspace("care")
    gone = make.member(care, Role.ADMIN)
    gone.is_active = False
    gone.save(update_fields=["is_active"])
    last = make.member(care, Role.ADMIN)
    visitor = make.me(make.user(is_super_admin=True), care, Role.SUPER_ADMIN)
    with scope(care), pytest.raises(MemberRefused, match="at least one admin"):
        remove_member(user_id=last.pk, by=visitor, now=NOW)


def test_a_role_that_changed_meanwhile_is_not_changed_again() -> None:
    care = make.workspace("care")
    admin, author = make.me_in(care), make.member(care, Role.AUTHOR)
    with scope(care), pytest.raises(MemberRefused, match="meanwhile"):
        change_role(user_id=author.pk, role="admin", seen="viewer", by=admin, now=NOW)


def test_an_unknown_role_is_refused() -> None:
    care = make.workspace("care")
    admin, author = make.me_in(care), make.member(care, Role.AUTHOR)
    with scope(care), pytest.raises(MemberRefused, match="Choose a role"):
        change_role(user_id=author.pk, role="super_admin", seen="author", by=admin, now=NOW)


def test_a_removed_members_keys_of_this_workspace_are_revoked() -> None:
    care, roaming = make.workspace("care"), make.workspace("roaming")
    admin, gone = make.me_in(care), make.me_in(care, Role.AUTHOR)
    make.member(roaming, Role.AUTHOR, gone.user)
    here = make.key(care, gone).key
    there = make.key(roaming, make.me(gone.user, roaming, Role.AUTHOR)).key
    with scope(care):
        remove_member(user_id=gone.user.pk, by=admin, now=NOW)
        assert ApiKey.objects.get(pk=here.pk).revoked_at == NOW
    with scope(roaming):
        assert ApiKey.objects.get(pk=there.pk).revoked_at is None
    assert [op for op, _obj, _diff in ops(care)][-2:] == ["key.revoke", "member.remove"]


def test_a_member_of_another_workspace_is_no_member_here() -> None:
    care, roaming = make.workspace("care"), make.workspace("roaming")
    admin, stranger = make.me_in(care), make.member(roaming, Role.AUTHOR)
    with scope(care), pytest.raises(MemberRefused, match="not a member"):
        remove_member(user_id=stranger.pk, by=admin, now=NOW)
    assert make.membership(roaming, stranger).role == "author"


def test_nobody_is_a_member_twice() -> None:
    care = make.workspace("care")
    author = make.member(care, Role.AUTHOR)
    with pytest.raises(MemberRefused, match="already a member"):
        add_member(workspace=care, user=author, role="admin", by_actor=make.SETUP, now=NOW)
    assert make.membership(care, author).role == "author"


def test_the_list_shows_only_members_of_the_readers_workspace() -> None:
    care, roaming = make.workspace("care"), make.workspace("roaming")
    reader = make.me_in(care, Role.VIEWER)
    make.member(roaming, Role.ADMIN)
    with scope(care):
        assert [(row.user_id, row.is_me) for row in members(reader)] == [(reader.user.pk, True)]
        assert Membership.objects.count() == 1

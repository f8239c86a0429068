"""Requests to join: asked once, decided once, by somebody else."""

import pytest

from tests.workspaces import make
from tests.workspaces.log import ops
from workspaces.actions.joining import JoinRefused, accept_request, ask_to_join, refuse_request
from workspaces.actions.members import MemberRefused
from workspaces.models import JoinRequest, Workspace
from workspaces.queries.me import Me
from workspaces.scope import scope

NOW = make.NOW

pytestmark = pytest.mark.django_db


def asked(care: Workspace, by: Me | None = None, text: str = "") -> JoinRequest:
    return ask_to_join(workspace=care, by=by or make.me(make.user()), text=text, now=NOW)


def test_an_admin_lets_a_person_in_with_a_role(care: Workspace, admin: Me) -> None:
    request = asked(care, text="I cover for Dora.")
    with scope(care):
        accept_request(join_request_id=request.pk, role="viewer", by=admin, now=NOW)
    assert make.membership(care, request.user).role == "viewer"
    assert [op for op, _obj, _diff in ops(care)][-3:] == [
        "join.request",
        "join.accept",
        "member.add",
    ]


def test_a_refused_person_may_ask_again(care: Workspace, admin: Me) -> None:
    request = asked(care)
    with scope(care):
        refuse_request(join_request_id=request.pk, by=admin, now=NOW)
    assert ops(care)[-1][0] == "join.refuse"
    assert asked(care, make.me(request.user)).pk != request.pk


def test_a_request_waits_once(care: Workspace) -> None:
    request = asked(care)
    with pytest.raises(JoinRefused, match="asked already"):
        asked(care, make.me(request.user))


def test_a_request_is_decided_once(care: Workspace, admin: Me) -> None:
    request = asked(care)
    with scope(care):
        refuse_request(join_request_id=request.pk, by=admin, now=NOW)
    with scope(care), pytest.raises(JoinRefused, match="decided this request already"):
        accept_request(join_request_id=request.pk, role="viewer", by=admin, now=NOW)


def test_nobody_lets_his_other_account_in(care: Workspace, admin: Me) -> None:
    request = asked(care, make.me(make.user("Second", person=admin.user.person)))
    with scope(care), pytest.raises(JoinRefused, match="Nobody lets himself in"):
        accept_request(join_request_id=request.pk, role="admin", by=admin, now=NOW)


def test_a_member_does_not_ask(care: Workspace, admin: Me) -> None:
    with pytest.raises(JoinRefused, match="a member already"):
        asked(care, make.me(admin.user))


@pytest.mark.parametrize("closed", [{"is_open_to_requests": False}, {"is_suspended": True}])
def test_a_closed_workspace_takes_no_requests(care: Workspace, closed: dict[str, bool]) -> None:
    Workspace.objects.filter(pk=care.pk).update(**closed)
    with pytest.raises(JoinRefused, match="takes no requests"):
        asked(Workspace.objects.get(pk=care.pk))


def test_a_role_that_does_not_exist_leaves_the_request_waiting(care: Workspace, admin: Me) -> None:
    request = asked(care)
    with scope(care), pytest.raises(MemberRefused):
        accept_request(join_request_id=request.pk, role="king", by=admin, now=NOW)
    with scope(care):
        assert JoinRequest.objects.get(pk=request.pk).decided_at is None


def test_another_workspaces_request_cannot_be_decided(care: Workspace) -> None:
    other = make.me_in(make.workspace("roaming"))
    request = asked(care)
    with scope(other.here), pytest.raises(JoinRefused):
        accept_request(join_request_id=request.pk, role="admin", by=other, now=NOW)

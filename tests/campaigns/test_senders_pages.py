"""The pages of sender names, for every role, over the product's own addresses."""

from typing import Any, Protocol

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.actions.senders import propose_revision
from campaigns.models import ProtectedName, Sender
from campaigns.queries import senders as questions
from campaigns.rules.differences import differences
from tests.campaigns import names
from tests.workspaces import make
from tests.workspaces.log import ops
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

HOME = "/w/care/senders/"
FORM = {
    "value": "Amber",
    "category": "service",
    "legal_entity": "Amber Telecom Ltd",
    "purpose": "Outages",
    "sample_text": "Maintenance tonight.",
}


@pytest.fixture
def admin(db: None) -> Me:
    """An admin of the workspace `care`."""
    return make.me_in(make.workspace("care", "Care"), Role.ADMIN)


class Answer(Protocol):
    """What these tests look at of a response."""

    content: bytes
    status_code: int


def client_of(me: Me) -> Client:
    """Return a client in which this person is signed in."""
    return make.signed_in(me.user)


def as_role(admin: Me, role: Role) -> Client:
    """Return a client of a new member."""
    return client_of(make.me_in(admin.here, role))


def text(response: Answer) -> str:
    """Return a page's text with single spaces."""
    return " ".join(response.content.decode().split())


def state(sender: Sender) -> str:
    """Return the state of the newest revision."""
    with scope(sender.workspace):
        return questions.revisions_of(sender)[0].state


def revise(sender: Sender, by: Me, **fields: str) -> None:
    """Propose the next revision."""
    with scope(by.here):
        propose_revision(
            sender_id=sender.pk,
            by=by,
            proposal=names.proposal(sender.value, **fields),
            now=timezone.now(),
        )


def test_an_empty_list_says_what_a_sender_name_is(admin: Me) -> None:
    page = text(client_of(admin).get(HOME))
    assert "No sender name yet." in page
    assert "Register the first one" in page


def test_the_list_shows_states_with_counts(admin: Me) -> None:
    names.in_use(admin, "Amber")
    names.proposed(admin, "Borealis")
    client = client_of(admin)
    page = text(client.get(HOME))
    assert "In use, revision 1" in page
    assert 'All but archived <span class="n">2</span>' in page
    filtered = text(client.get(HOME, {"state": "in_review"}))
    assert "Borealis" in filtered
    assert "senders/Amber/" not in filtered


def test_an_unknown_filter_shows_everything(admin: Me) -> None:
    names.in_use(admin, "Amber")
    assert "senders/Amber/" in text(client_of(admin).get(HOME, {"state": "x"}))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SUPER_ADMIN])
def test_every_member_reads_the_list_and_a_name(admin: Me, role: Role) -> None:
    names.in_use(admin, "Amber")
    client = as_role(admin, role)
    assert client.get(HOME).status_code == 200
    assert client.get(f"{HOME}Amber/").status_code == 200


@pytest.mark.parametrize(
    ("role", "may_create", "may_propose", "may_decide"),
    [
        (Role.VIEWER, False, False, False),
        (Role.AUTHOR, False, True, False),
        (Role.AUTHOR_MODERATOR, False, True, True),
        (Role.MODERATOR, False, True, True),
        (Role.ADMIN, True, True, True),
    ],
)
def test_each_role_is_offered_what_it_may_do_and_nothing_else(
    admin: Me, role: Role, may_create: bool, may_propose: bool, may_decide: bool
) -> None:
    revise(names.in_use(admin, "Amber"), admin)
    names.in_use(admin, "Borealis")
    client = as_role(admin, role)
    assert ("senders/new/" in text(client.get(HOME))) is may_create
    assert ("Borealis/propose/" in text(client.get(f"{HOME}Borealis/"))) is may_propose
    page = text(client.get(f"{HOME}Amber/"))
    assert ("decide/approve/" in page) is may_decide
    assert ("Amber/archive/" in page) is may_create


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("new/", Role.MODERATOR),
        ("Amber/archive/", Role.MODERATOR),
        ("Amber/restore/", Role.MODERATOR),
        ("Amber/decide/approve/", Role.AUTHOR),
        ("Amber/decide/reject/", Role.AUTHOR),
        ("Amber/propose/", Role.VIEWER),
        ("Amber/withdraw/", Role.VIEWER),
        ("preview/", Role.VIEWER),
    ],
)
def test_what_a_role_may_not_do_is_forbidden(admin: Me, path: str, role: Role) -> None:
    names.proposed(admin)
    assert as_role(admin, role).post(HOME + path, FORM).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        *("Amber/", "Amber/revisions/1/", "Amber/propose/", "Amber/decide/approve/"),
        *("Amber/withdraw/", "Amber/archive/", "Amber/restore/"),
    ],
)
def test_another_workspaces_sender_is_not_there(admin: Me, path: str) -> None:
    names.proposed(make.me_in(make.workspace("marketing"), Role.ADMIN), "Amber")
    assert client_of(admin).get(HOME + path).status_code == 404


@pytest.mark.parametrize("path", ["Amber/revisions/7/", "Amber/decide/nonsense/", "Nobody/"])
def test_what_is_not_there_is_404(admin: Me, path: str) -> None:
    names.proposed(admin)
    assert client_of(admin).get(HOME + path).status_code == 404


def test_a_sender_is_found_by_any_case_and_by_its_id(admin: Me) -> None:
    sender = names.proposed(admin)
    client = client_of(admin)
    assert client.get(f"{HOME}AMBER/").status_code == 200
    assert client.get(f"{HOME}{sender.pk}/").status_code == 200


def test_an_admin_registers_a_name_that_is_in_review_at_once(admin: Me) -> None:
    response = client_of(admin).post(f"{HOME}new/", FORM, follow=True)
    assert "Revision 1 waits for 1 approval" in text(response)
    assert ops(admin.here)[-1][0] == "sender.create"


def test_a_refused_name_stands_at_its_field_and_nothing_typed_is_lost(admin: Me) -> None:
    page = text(client_of(admin).post(f"{HOME}new/", FORM | {"value": "info"}))
    assert "says nothing about who sends" in page
    assert 'aria-invalid="true"' in page
    assert "Amber Telecom Ltd" in page


def test_a_space_around_a_name_is_told_rather_than_taken_away(admin: Me) -> None:
    page = text(client_of(admin).post(f"{HOME}new/", FORM | {"value": " Amber"}))
    assert "cannot begin or end with a space" in page


def test_a_taken_name_does_not_say_by_whom(admin: Me) -> None:
    names.proposed(make.me_in(make.workspace("marketing", "Marketing"), Role.ADMIN), "Borealis")
    page = text(client_of(admin).post(f"{HOME}new/", FORM | {"value": "B0realis"}))
    assert "looks like one that is registered already" in page
    assert "Marketing" not in page


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Amber", "TON 5, NPI 0"),
        ("1177", "TON 3, NPI 0"),
        ("+447700900123", "TON 1, NPI 1"),
        ("Am\u0431er", "cyrillic small letter be"),
        ("", "Type a name"),
    ],
)
def test_the_preview_follows_what_is_typed(admin: Me, value: str, said: str) -> None:
    page = text(client_of(admin).post(f"{HOME}preview/", {"value": value}))
    assert said in page
    assert "<html" not in page


def test_the_preview_warns_of_a_protected_name_and_of_an_own_twin(admin: Me) -> None:
    names.protect("Amberly")
    sender = names.proposed(admin, "Amber1y")
    client = client_of(admin)
    page = text(client.post(f"{HOME}preview/", {"value": "Amberiy"}))
    assert "It resembles “Amberly”" in page
    assert "This workspace has “Amber1y”" in page
    own = text(client.post(f"{HOME}preview/?of={sender.pk}", {"value": "Amberiy"}))
    assert "This workspace has" not in own


def test_a_preview_shows_markup_as_text(admin: Me) -> None:
    page = text(client_of(admin).post(f"{HOME}preview/", {"value": "A", "sample_text": "<b>x"}))
    assert "<b>x" not in page


def test_a_revision_stands_beside_the_one_in_use_with_what_changed(admin: Me) -> None:
    sender = names.in_use(admin)
    revise(sender, admin, purpose="Outages and service notices")
    page = text(as_role(admin, Role.MODERATOR).get(f"{HOME}Amber/"))
    assert "Revision 2, compared with 1" in page
    assert "<del>maintenance</del><ins>service notices</ins>" in page
    assert "Revision 1 stays in use until revision 2 is approved." in page


def test_the_approval_record_reads_as_a_story(admin: Me) -> None:
    names.in_use(admin)
    page = text(client_of(admin).get(f"{HOME}Amber/"))
    assert "approved revision 1" in page
    assert f"{admin.user.name} proposed revision 1" in page


def test_an_old_revision_keeps_its_own_page(admin: Me) -> None:
    sender = names.in_use(admin)
    revise(sender, admin, purpose="Outages and service notices")
    page = text(client_of(admin).get(f"{HOME}Amber/revisions/1/"))
    assert "<h2>Revision 1</h2>" in page
    assert "service notices" not in page


def decide(client: Client, verdict: str = "approve", **fields: Any) -> Answer:
    """Post a decision on Amber."""
    values = {"seen": 1, "words": "", **fields}
    return client.post(f"{HOME}Amber/decide/{verdict}/", values, follow=True)


def test_a_moderator_is_asked_before_he_approves(admin: Me) -> None:
    names.proposed(admin)
    client = as_role(admin, Role.MODERATOR)
    assert "It waits for your decision." in text(client.get(f"{HOME}Amber/"))
    question = text(client.get(f"{HOME}Amber/decide/approve/"))
    assert "Approve revision 1 of Amber?" in question
    assert "From then on campaigns can be sent as “Amber”." in question


def test_a_moderator_approves(admin: Me) -> None:
    sender = names.proposed(admin)
    page = text(decide(as_role(admin, Role.MODERATOR)))
    assert "Revision 1 is approved and in use." in page
    assert state(sender) == "approved"


def test_a_moderator_rejects_with_words(admin: Me) -> None:
    sender = names.proposed(admin)
    page = text(decide(as_role(admin, Role.MODERATOR), "reject", words="No letter."))
    assert "“No letter.”" in page
    assert state(sender) == "rejected"


def test_a_rejection_without_words_asks_for_them(admin: Me) -> None:
    sender = names.proposed(admin)
    page = text(decide(as_role(admin, Role.MODERATOR), "reject"))
    assert "Say why, so that the proposer knows what to change." in page
    assert state(sender) == "in_review"


def test_the_proposer_is_told_that_another_person_has_to_decide(admin: Me) -> None:
    names.proposed(admin)
    page = text(client_of(admin).get(f"{HOME}Amber/"))
    assert "You proposed this revision." in page
    assert "decide/approve/" not in page


def test_the_proposer_cannot_decide_by_posting_anyway(admin: Me) -> None:
    sender = names.proposed(admin)
    response = decide(client_of(admin))
    assert response.status_code == 403
    assert "You proposed this revision. Another person has to decide." in text(response)
    assert state(sender) == "in_review"


def test_a_stale_form_is_a_conflict_and_shows_what_is_there_now(admin: Me) -> None:
    sender = names.in_use(admin)
    revise(sender, admin)
    response = decide(as_role(admin, Role.MODERATOR), seen=1)
    assert response.status_code == 409
    assert "You have seen revision 1; in review is revision 2." in text(response)
    assert state(sender) == "in_review"


@pytest.mark.parametrize("seen", ["", "x"])
def test_a_form_without_a_number_decides_nothing(admin: Me, seen: str) -> None:
    sender = names.proposed(admin)
    decide(as_role(admin, Role.MODERATOR), seen=seen)
    assert state(sender) == "in_review"


def test_a_decision_that_came_too_late_is_a_conflict(admin: Me) -> None:
    names.in_use(admin)
    assert decide(as_role(admin, Role.MODERATOR)).status_code == 409


def test_two_persons_approve_what_resembles_a_protected_name(admin: Me) -> None:
    names.protect("Amberz")
    sender = names.proposed(admin)
    first = as_role(admin, Role.MODERATOR)
    assert "One more person has to." in text(decide(first))
    assert "You approved this revision." in text(first.get(f"{HOME}Amber/"))
    decide(as_role(admin, Role.MODERATOR))
    assert state(sender) == "approved"


def test_a_revision_is_withdrawn_after_a_question(admin: Me) -> None:
    sender = names.proposed(admin)
    client = client_of(admin)
    assert "Withdraw revision 1?" in text(client.get(f"{HOME}Amber/withdraw/"))
    client.post(f"{HOME}Amber/withdraw/", {"seen": 1})
    assert state(sender) == "withdrawn"


def test_a_sender_is_archived_and_restored_after_a_question(admin: Me) -> None:
    names.in_use(admin)
    client = client_of(admin)
    assert "campaigns that are sending are held" in text(client.get(f"{HOME}Amber/archive/"))
    assert "Amber is archived." in text(client.post(f"{HOME}Amber/archive/", follow=True))
    assert "No sender name yet" in text(client.get(HOME))
    assert "Amber is restored." in text(client.post(f"{HOME}Amber/restore/", follow=True))


def test_archiving_twice_is_a_conflict(admin: Me) -> None:
    names.in_use(admin)
    client = client_of(admin)
    client.post(f"{HOME}Amber/archive/")
    assert client.post(f"{HOME}Amber/archive/").status_code == 409


def test_a_super_admin_who_has_not_entered_reads_only(admin: Me) -> None:
    names.proposed(admin)
    client = make.signed_in(make.user(is_super_admin=True))
    page = text(client.get(f"{HOME}Amber/"))
    assert "decide/" not in page
    assert client.post(f"{HOME}Amber/decide/approve/", {"seen": 1}).status_code == 403


def test_a_list_of_many_takes_as_many_queries_as_of_one(
    admin: Me, django_assert_max_num_queries: Any
) -> None:
    for word in ("Amber", "Borealis", "Corsair", "Dunmore", "Eastline", "Fernwood"):
        names.proposed(admin, word)
    client = client_of(admin)
    client.get(HOME)
    with django_assert_max_num_queries(30):
        client.get(HOME)


# --- protected names ----------------------------------------------------------------------------

PROTECTED = "/platform/senders/"


@pytest.fixture
def keeper(db: None) -> Client:
    """A super admin."""
    return make.signed_in(make.user("Keeper", is_super_admin=True))


def test_the_platform_team_protects_a_name(keeper: Client) -> None:
    page = text(keeper.post(PROTECTED, {"value": "  Lumen  Bank "}, follow=True))
    assert "“Lumen Bank” is protected." in page
    assert ops()[-1][0] == "protected_name.add"


@pytest.mark.parametrize("value", ["", "x", "Ванк", "---"])
def test_a_name_that_cannot_be_protected_is_told_at_its_field(keeper: Client, value: str) -> None:
    assert 'aria-invalid="true"' in text(keeper.post(PROTECTED, {"value": value}))
    assert not ProtectedName.objects.exists()


def test_a_name_that_looks_the_same_is_protected_already(keeper: Client) -> None:
    names.protect("Lumen Bank")
    assert "protected already" in text(keeper.post(PROTECTED, {"value": "LUMENB4NK"}))


def test_lifting_a_protection_asks_why_and_records_it(keeper: Client) -> None:
    names.protect("Lumen Bank")
    path = f"{PROTECTED}{ProtectedName.objects.get().pk}/lift/"
    assert "one approval is enough" in text(keeper.get(path))
    assert "Say why" in text(keeper.post(path, {"why": " "}))
    assert "not protected any more" in text(keeper.post(path, {"why": "Closed"}, follow=True))
    assert ops()[-1][0] == "protected_name.remove"
    assert keeper.post(path, {"why": "Closed"}).status_code == 404


def test_nobody_else_knows_that_the_list_exists(admin: Me) -> None:
    client = client_of(admin)
    assert client.get(PROTECTED).status_code == 404
    assert client.post(PROTECTED, {"value": "Lumen"}).status_code == 404


@pytest.mark.parametrize(
    ("old", "new"),
    [("", "a"), ("a b", "a c b"), ("Offers", "Offers, news"), ("1 Jan", "1 Feb"), ("x", "")],
)
def test_differences_give_both_texts_back(old: str, new: str) -> None:
    pieces = differences(old, new)
    assert "".join(piece for kind, piece in pieces if kind != "ins") == old
    assert "".join(piece for kind, piece in pieces if kind != "del") == new

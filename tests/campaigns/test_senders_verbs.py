"""Sender names: created, revised, decided by another person, archived."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from campaigns.actions import sender_review, senders
from campaigns.actions.sender_review import FourEyes, NoteMissing, NothingInReview, SeenAnother
from campaigns.actions.senders import NameTaken, NoSuchSender, SenderRefused
from campaigns.models import Sender, SenderRevision
from campaigns.queries import senders as questions
from tests.campaigns import names
from tests.conftest import Database
from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope


def states(sender: Sender) -> list[str]:
    """Return the states of a sender's revisions, oldest first."""
    with scope(sender.workspace):
        return [revision.state for revision in reversed(questions.revisions_of(sender))]


def propose(sender: Sender, by: Me, value: str = "Amber", **fields: str) -> SenderRevision:
    """Propose the next revision."""
    with scope(by.here):
        return senders.propose_revision(
            sender_id=sender.pk, by=by, proposal=names.proposal(value, **fields), now=timezone.now()
        )


def reject(sender: Sender, by: Me, words: str = "No letter.", seen: int = 1) -> SenderRevision:
    """Reject a revision."""
    with scope(by.here):
        return sender_review.reject_revision(
            sender_id=sender.pk, seen=seen, by=by, words=words, now=timezone.now()
        )


def withdraw(sender: Sender, by: Me, seen: int = 1) -> SenderRevision:
    """Withdraw a revision."""
    with scope(by.here):
        return sender_review.withdraw_revision(
            sender_id=sender.pk, seen=seen, by=by, now=timezone.now()
        )


def archive(sender: Sender, by: Me) -> None:
    """Archive a sender."""
    with scope(by.here):
        senders.archive_sender(sender_id=sender.pk, by=by, now=timezone.now())


def restore(sender: Sender, by: Me) -> None:
    """Restore a sender."""
    with scope(by.here):
        senders.restore_sender(sender_id=sender.pk, by=by, now=timezone.now())


@pytest.fixture
def admin(db: None) -> Me:
    """An admin of a workspace."""
    return make.me_in(make.workspace("care"), Role.ADMIN)


@pytest.fixture
def moderator(admin: Me) -> Me:
    """A moderator of the admin's workspace."""
    return make.me_in(admin.here, Role.MODERATOR)


def test_a_new_sender_has_revision_1_in_review_and_no_approved_one(admin: Me) -> None:
    sender = names.proposed(admin)
    assert states(sender) == ["in_review"]
    assert sender.approved_revision is None
    op, obj, diff = ops(admin.here)[-1]
    assert (op, obj) == ("sender.create", f"snd_{sender.pk}")
    assert (diff["value"], diff["ton"], diff["npi"]) == ([None, "Amber"], [None, 5], [None, 0])


def test_ton_and_npi_of_a_number_are_derived_and_its_plus_goes(admin: Me) -> None:
    sender = names.proposed(admin, "+447700900123")
    with scope(admin.here):
        revision = questions.revisions_of(sender)[0]
    assert (revision.value, revision.ton, revision.npi) == ("447700900123", 1, 1)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"value": "info"}, "value"),
        ({"value": "Am\u0431er"}, "value"),
        ({"category": "jokes"}, "category"),
        ({"legal_entity": "  "}, "legal_entity"),
        ({"purpose": ""}, "purpose"),
        ({"sample_text": ""}, "sample_text"),
        ({"purpose": "x" * 501}, "purpose"),
    ],
)
def test_a_proposal_is_refused_at_the_field_that_is_wrong(
    admin: Me, fields: dict[str, str], field: str
) -> None:
    with pytest.raises(SenderRefused) as refused:
        names.proposed(admin, **fields)
    assert refused.value.field == field


def test_a_look_alike_of_an_own_sender_is_refused_by_its_name(admin: Me) -> None:
    names.proposed(admin, "Amber")
    with pytest.raises(NameTaken, match="This workspace has “Amber”, which looks the same"):
        names.proposed(admin, "4MBER")


def test_a_look_alike_of_another_workspaces_sender_is_refused_without_saying_whose(
    admin: Me,
) -> None:
    names.proposed(make.me_in(make.workspace("marketing"), Role.ADMIN), "Borealis")
    with pytest.raises(NameTaken) as refused:
        names.proposed(admin, "B0rea1is")
    assert "marketing" not in refused.value.sentence.lower()
    assert "Borealis" not in refused.value.sentence
    assert "Choose another name." in refused.value.sentence


def test_a_refused_look_alike_leaves_nothing_behind(admin: Me) -> None:
    names.proposed(make.me_in(make.workspace(), Role.ADMIN), "Borealis")
    before = ops(admin.here)
    with pytest.raises(NameTaken):
        names.proposed(admin, "borealis")
    assert ops(admin.here) == before
    with scope(admin.here):
        assert questions.senders_of(admin.here) == []


def test_another_person_approves_and_the_sender_is_in_use(admin: Me, moderator: Me) -> None:
    sender = names.proposed(admin)
    names.approve(sender, moderator)
    assert states(sender) == ["approved"]
    with scope(admin.here):
        assert questions.approved(admin.here) == [sender]
    assert ops(admin.here)[-1][0] == "sender.approve"


def test_before_approval_no_campaign_can_choose_it(admin: Me) -> None:
    names.proposed(admin)
    with scope(admin.here):
        assert questions.approved(admin.here) == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.AUTHOR_MODERATOR, Role.ADMIN, Role.SUPER_ADMIN])
def test_nobody_approves_his_own_proposal_whatever_his_role(role: Role) -> None:
    place = make.workspace()
    me = make.me(make.user(is_super_admin=role is Role.SUPER_ADMIN), place, role)
    sender = names.proposed(me)
    with pytest.raises(FourEyes, match="You proposed this revision"):
        names.approve(sender, me)
    assert states(sender) == ["in_review"]


def test_a_second_account_of_the_proposer_is_the_same_pair_of_eyes(admin: Me) -> None:
    sender = names.proposed(admin)
    twin = make.user(email="second@example.com", person=admin.user.person)
    make.member(admin.here, Role.MODERATOR, twin)
    with pytest.raises(FourEyes):
        names.approve(sender, make.me(twin, admin.here, Role.MODERATOR))


def test_nobody_rejects_his_own_proposal_either(admin: Me) -> None:
    with pytest.raises(FourEyes):
        reject(names.proposed(admin), admin)


def test_a_name_that_resembles_a_protected_one_needs_two_approvals(
    admin: Me, moderator: Me
) -> None:
    names.protect("Amberly")
    sender = names.proposed(admin, "Amber1y")
    names.approve(sender, moderator)
    assert states(sender) == ["in_review"]
    names.approve(sender, make.me_in(admin.here, Role.MODERATOR))
    assert states(sender) == ["approved"]


def test_the_second_approval_is_another_persons(admin: Me, moderator: Me) -> None:
    names.protect("Amberly")
    sender = names.proposed(admin, "Amber1y")
    names.approve(sender, moderator)
    with pytest.raises(FourEyes, match="A second person has to decide"):
        names.approve(sender, moderator)


def test_one_rejection_is_enough_where_two_approvals_are_needed(admin: Me, moderator: Me) -> None:
    names.protect("Amberly")
    sender = names.proposed(admin, "Amber1y")
    names.approve(sender, moderator)
    reject(sender, make.me_in(admin.here, Role.MODERATOR))
    assert states(sender) == ["rejected"]


def test_a_name_protected_after_the_proposal_cannot_pass_with_one_approval(
    admin: Me, moderator: Me
) -> None:
    sender = names.proposed(admin, "Amber1y")
    names.protect("Amberly")
    with pytest.raises(SenderRefused, match="protected since"):
        names.approve(sender, moderator)


def test_a_rejection_needs_words_and_keeps_them(admin: Me, moderator: Me) -> None:
    sender = names.proposed(admin)
    with pytest.raises(NoteMissing):
        reject(sender, moderator, words="  ")
    reject(sender, moderator, words="The letter is not signed.")
    assert states(sender) == ["rejected"]
    with scope(admin.here):
        assert questions.decisions_of(sender)[0].note == "The letter is not signed."
    assert entries(admin.here)[-1]["why"] == "The letter is not signed."


def test_an_approved_revision_replaces_the_one_before(admin: Me, moderator: Me) -> None:
    sender = names.in_use(admin)
    author = make.me_in(admin.here, Role.AUTHOR)
    revision = propose(sender, author, "AMBER", purpose="Outages, service notices")
    assert revision.number == 2
    assert states(sender) == ["approved", "in_review"]
    names.approve(sender, moderator, seen=2)
    assert states(sender) == ["replaced", "approved"]
    assert (sender.value, sender.approved_revision_id) == ("AMBER", revision.pk)


def test_a_rejected_revision_leaves_the_one_in_use(admin: Me, moderator: Me) -> None:
    sender = names.in_use(admin)
    propose(sender, admin)
    reject(sender, moderator, seen=2)
    assert states(sender) == ["approved", "rejected"]
    with scope(admin.here):
        assert questions.approved(admin.here) == [sender]


def test_a_revision_cannot_become_another_name(admin: Me) -> None:
    sender = names.in_use(admin)
    with pytest.raises(SenderRefused, match="This is another name"):
        propose(sender, admin, "Corsair")


def test_one_revision_at_a_time_is_in_review(admin: Me) -> None:
    sender = names.proposed(admin)
    with pytest.raises(SenderRefused, match="Revision 1 is in review"):
        propose(sender, admin)


def test_a_decision_on_a_revision_that_was_not_seen_is_refused(admin: Me, moderator: Me) -> None:
    sender = names.proposed(admin)
    withdraw(sender, admin)
    propose(sender, admin)
    with pytest.raises(SeenAnother):
        names.approve(sender, moderator, seen=1)


def test_a_decision_comes_once(admin: Me, moderator: Me) -> None:
    sender = names.in_use(admin)
    with pytest.raises(NothingInReview):
        names.approve(sender, moderator)


def test_the_proposer_withdraws_his_revision(admin: Me) -> None:
    author = make.me_in(admin.here, Role.AUTHOR)
    sender = names.in_use(admin)
    propose(sender, author)
    withdraw(sender, author, seen=2)
    assert states(sender) == ["approved", "withdrawn"]
    assert ops(admin.here)[-1][0] == "sender.withdraw"


def test_an_author_cannot_withdraw_what_another_proposed(admin: Me) -> None:
    sender = names.proposed(admin)
    with pytest.raises(SenderRefused, match="or an admin"):
        withdraw(sender, make.me_in(admin.here, Role.AUTHOR))


def test_an_archived_sender_cannot_be_chosen_and_comes_back_as_it_was(admin: Me) -> None:
    sender = names.in_use(admin)
    archive(sender, admin)
    with scope(admin.here):
        assert questions.approved(admin.here) == []
    restore(sender, admin)
    with scope(admin.here):
        assert questions.approved(admin.here) == [sender]
    assert [op for op, _, _ in ops(admin.here)[-2:]] == ["sender.archive", "sender.restore"]


@pytest.mark.parametrize("act", [propose, archive, names.approve, reject, withdraw])
def test_nothing_happens_to_an_archived_sender(
    admin: Me, moderator: Me, act: Callable[[Sender, Me], object]
) -> None:
    sender = names.proposed(admin)
    archive(sender, admin)
    with pytest.raises(SenderRefused):
        act(sender, moderator)


@pytest.mark.parametrize("act", [propose, archive, restore, names.approve, reject, withdraw])
def test_a_neighbours_sender_is_not_there(admin: Me, act: Callable[[Sender, Me], object]) -> None:
    sender = names.proposed(admin)
    with pytest.raises(NoSuchSender):
        act(sender, make.me_in(make.workspace(), Role.ADMIN))


def test_what_waits_is_told_to_each_person_as_it_concerns_him(admin: Me, moderator: Me) -> None:
    names.proposed(admin)
    with scope(admin.here):
        own, others = questions.waiting_for(admin)[0], questions.waiting_for(moderator)[0]
        assert (questions.waiting_count(admin), questions.waiting_count(moderator)) == (0, 1)
    assert (own.may_decide, others.may_decide, others.missing_count) == (False, True, 1)


def test_who_has_approved_once_waits_for_the_second_person(admin: Me, moderator: Me) -> None:
    names.protect("Amberly")
    names.approve(names.proposed(admin, "Amber1y"), moderator)
    with scope(admin.here):
        (waiting,) = questions.waiting_for(moderator)
        assert questions.waiting_count(moderator) == 0
    assert (waiting.is_decided, waiting.missing_count) == (True, 1)


def test_every_way_to_write_another_workspaces_name_is_stopped(admin: Me) -> None:
    names.proposed(make.me_in(make.workspace(), Role.ADMIN), "Illinois")
    for alike in ("I1linois", "lllinois", "Illin0is", "ILL.INOIS", "1111n015", "Illinoi5"):
        with pytest.raises(NameTaken):
            names.proposed(admin, alike)


def test_states_are_counted_with_zeros(admin: Me) -> None:
    names.in_use(admin, "Amber")
    names.proposed(admin, "Borealis")
    archived = names.in_use(admin, "Corsair")
    archive(archived, admin)
    with scope(admin.here):
        counts = questions.standings(admin.here)
    assert counts == {"in_use": 1, "in_review": 1, "not_approved": 0, "archived": 1}


@pytest.mark.parametrize("act", [names.approve, reject])
def test_an_attempt_on_the_own_proposal_is_in_the_audit_log(
    database: Database, act: Callable[[Sender, Me], object]
) -> None:
    me = make.me_in(make.workspace(), Role.ADMIN)
    sender = names.proposed(me)
    with pytest.raises(FourEyes):
        act(sender, me)
    denied = entries(me.here)[-1]
    op = "sender.approve" if act is names.approve else "sender.reject"
    assert (denied["op"], denied["res"]) == (op, "denied")

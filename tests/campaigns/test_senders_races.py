"""Two people at once: one of them wins, the other is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections
from django.utils import timezone

from campaigns.actions import sender_review, senders
from campaigns.models import Sender, SenderRevision
from tests.campaigns import names
from tests.conftest import Database
from tests.workspaces import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope

ROUNDS = 10


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do acts at the same time, each on a connection of its own; "" or the code of each refusal."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        barrier.wait(10)
        try:
            act()
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def register(by: Me, value: str) -> Callable[[], object]:
    """Return the act of registering a name."""
    return lambda: names.proposed(by, value)


def decide(by: Me, sender: Sender, verdict: str) -> Callable[[], object]:
    """Return the act of deciding on revision 1."""

    def act() -> None:
        verb = getattr(sender_review, f"{verdict}_revision")
        with scope(by.here):
            verb(sender_id=sender.pk, seen=1, by=by, words="Seen.", now=timezone.now())

    return act


def propose(by: Me, sender: Sender) -> Callable[[], object]:
    """Return the act of proposing the next revision."""

    def act() -> None:
        with scope(by.here):
            senders.propose_revision(
                sender_id=sender.pk, by=by, proposal=names.proposal(), now=timezone.now()
            )

    return act


def test_of_two_workspaces_that_register_look_alikes_at_once_one_gets_the_name(
    database: Database,
) -> None:
    one, other = (make.me_in(make.workspace(), Role.ADMIN) for _ in range(2))
    for index in range(ROUNDS):
        found = at_once(register(one, f"Amber{index}"), register(other, f"4MBER {index}"))
        assert sorted(found) == ["", "name_taken"]


def test_of_an_approval_and_a_rejection_at_once_one_counts(database: Database) -> None:
    admin = make.me_in(make.workspace(), Role.ADMIN)
    first, second = (make.me_in(admin.here, Role.MODERATOR) for _ in range(2))
    for index in range(ROUNDS):
        sender = names.proposed(admin, f"Amber{index}")
        found = at_once(decide(first, sender, "approve"), decide(second, sender, "reject"))
        assert sorted(found) == ["", "wrong_state"]
        with scope(admin.here):
            (revision,) = SenderRevision.objects.filter(sender=sender)
            assert revision.decisions.count() == 1
            assert (revision.state == "approved") is (found[0] == "")


def test_of_two_proposals_at_once_one_is_numbered(database: Database) -> None:
    admin = make.me_in(make.workspace(), Role.ADMIN)
    first, second = (make.me_in(admin.here, Role.AUTHOR) for _ in range(2))
    sender = names.in_use(admin)
    assert sorted(at_once(propose(first, sender), propose(second, sender))) == [
        "",
        "sender_refused",
    ]

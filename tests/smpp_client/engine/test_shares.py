"""One rate over all sessions of a connection: the parts in the lease rows never add up to more."""

import random
from collections.abc import Iterator

import pytest

from smpp_client.engine.leases import Held, Leases, Share
from smpp_client.models import Connection, Lease
from tests import make
from tests.conftest import Database
from workspaces.queries.keys import keys
from workspaces.scope import scope_everywhere

RATE = 100


@pytest.fixture
def leases(database: Database) -> Iterator[Leases]:
    """Leases over rows that commit: the engine has connections of its own."""
    keys.cache_clear()
    with scope_everywhere("the test looks at everything"):
        made = Leases("test", 60, 1)
        yield made
        made.close()


def taken(leases: Leases, one: Connection, slot: int) -> Held:
    held = leases.take(one.pk, slot)
    assert held is not None
    return held


def stored() -> int:
    return sum(share or 0 for share in Lease.objects.values_list("share", flat=True))


def test_a_part_is_free_when_its_owner_uses_less_has_ended_or_has_lost_its_lease(
    leases: Leases,
) -> None:
    one = make.connection(rate=RATE)
    first, second = taken(leases, one, 0), taken(leases, one, 1)
    assert leases.share(first, slot=0, using=0) == Share(RATE, RATE)
    assert leases.share(second, slot=1, using=0).segments == 0
    assert leases.share(first, slot=0, using=RATE).segments == 50
    assert leases.share(second, slot=1, using=0).segments == 0  # the first may still be faster
    assert leases.share(first, slot=0, using=50).segments == 50
    assert leases.share(second, slot=1, using=0).segments == 50
    leases.leave_share(first)
    assert leases.share(second, slot=1, using=50).segments == RATE
    Connection.objects.update(rate=30)
    assert leases.share(second, slot=1, using=RATE) == Share(30, 30)
    Lease.objects.filter(pk=second.key.lease_id).update(expires_at="2020-01-01T00:00Z")
    assert leases.share(first, slot=0, using=0).segments == 30
    Lease.objects.update(epoch=first.key.epoch + 1)
    assert leases.share(first, slot=0, using=30).segments == 0  # another owner has it


def test_what_one_process_heard_is_told_to_the_others_and_not_to_itself(leases: Leases) -> None:
    one, other = make.connection(rate=RATE), Leases("other", 60, 1)
    receiver, sender = taken(leases, one, 100), taken(leases, one, 0)
    elsewhere = taken(other, one, 1)
    assert other.share(elsewhere, slot=1, using=0).heard_ago is None
    # Over the receiver of a pair, whose process may have no session that sends.
    assert leases.renew(receiver, 2.0) is not None
    heard = other.share(elsewhere, slot=1, using=0).heard_ago
    assert heard is not None
    assert 2.0 <= heard < 30
    assert leases.renew(receiver) is not None
    again = other.share(elsewhere, slot=1, using=0).heard_ago
    assert again is not None
    assert again > heard
    assert leases.share(sender, slot=0, using=0).heard_ago is None
    other.close()


def test_in_any_order_the_parts_never_exceed_the_rate_and_become_fair(leases: Leases) -> None:
    """Seven sessions come, go and ask in any order; what each may use is kept by the test."""
    chance, one = random.Random(7), make.connection(rate=RATE)
    held = {slot: taken(leases, one, slot) for slot in range(7)}
    using: dict[int, int] = {}
    for _ in range(400):
        slot = chance.randrange(7)
        if slot in using and chance.random() < 0.15:
            del using[slot]
            leases.leave_share(held[slot])
        else:
            before = using.get(slot, 0)
            using[slot] = leases.share(held[slot], slot=slot, using=before).segments
        assert sum(using.values()) <= RATE
        assert sum(using.values()) <= stored() <= RATE
    for slot in sorted(using) * 3:
        using[slot] = leases.share(held[slot], slot=slot, using=using[slot]).segments
    assert sum(using.values()) == RATE
    assert max(using.values()) - min(using.values()) <= 1

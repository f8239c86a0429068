"""Who may hold a bind slot, when an owner is cut off from the database or gone."""

from collections.abc import Iterator

import pytest
from django.db import connection

from smpp_client.engine.leases import LOCK_CLASS, Leases
from tests import make
from tests.conftest import Database
from tests.poll import poll
from workspaces.scope import scope_everywhere

LEASE_SECONDS = 3.0


@pytest.fixture
def pair(database: Database) -> Iterator[tuple[Leases, Leases]]:
    """Two processes, as far as leases go, over a database that has been up for a while."""
    two = Leases("first", LEASE_SECONDS, 0.5), Leases("second", LEASE_SECONDS, 0.5)
    with scope_everywhere("the test looks at everything"):
        up_since = "SELECT clock_timestamp() - pg_postmaster_start_time() > %s * interval '1 s'"
        poll(lambda: asked(up_since, LEASE_SECONDS), 30)
        yield two
    for one in two:
        one.close()


def asked(statement: str, *values: float) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


def ends_in(seconds: float) -> None:
    """Let every lease end so many seconds from now: it was renewed that much earlier."""
    asked(
        "UPDATE lease SET expires_at = clock_timestamp() + %s * interval '1 s' RETURNING epoch",
        seconds,
    )


def cut(leases: Leases) -> None:
    pid = leases._link.open.info.backend_pid
    asked("SELECT pg_terminate_backend(%s, 10000)", pid)


def test_a_standby_leaves_alone_what_belongs_to_an_owner_whose_connection_was_cut(
    pair: tuple[Leases, Leases],
) -> None:
    owner, standby = pair
    pk = make.connection().pk
    held = owner.take(pk)
    assert held is not None
    ends_in(60)  # however slow this machine is, it was renewed lately
    cut(owner)
    assert standby.take(pk) is None
    again = owner.renew(held)
    assert again is not None
    assert again.key == held.key
    statement = "SELECT count(*) FROM pg_locks WHERE classid = %s AND pid = %s"
    assert asked(statement, LOCK_CLASS, owner._link.open.info.backend_pid) == 1


def test_an_owner_that_is_gone_and_misses_its_renewals_is_followed_before_its_lease_ends(
    pair: tuple[Leases, Leases],
) -> None:
    owner, standby = pair
    pk = make.connection().pk
    held = owner.take(pk)
    assert held is not None
    owner.close()
    ends_in(LEASE_SECONDS - 1.6)
    followed = standby.take(pk)
    assert followed is not None
    assert followed.key.epoch == held.key.epoch + 1

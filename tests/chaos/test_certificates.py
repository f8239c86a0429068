"""Two hundred swaps of certificate files of every kind under load, with real handshakes.

The simulator demands a certificate of our authority: a handshake without one gets no bind.
"""

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from message_center.stack.certificates import (
    Authority,
    DemoCertificates,
    Issued,
    demo_certificates,
    issue_expired,
    issue_valid,
    make_authority,
    read_authority,
)
from smpp_client.carrier import Address, Segment, SegmentKey
from smpp_client.engine.accounts import Account
from smpp_client.engine.certificates import CertificateWatch
from smpp_client.engine.tls import Keepers
from smpp_client.protocol.events import Closed, LinkDead, Settled
from tests.simulator import RunningSimulator, certificate_hash, start_simulator
from tests.smpp_client.engine.peers import BOUND, Call, account

SWAPS = 200
SETTLE = 0.06
SEGMENTS_A_TIME = 5


@dataclass
class Told:
    """Takes the place of the database: what the watch told."""

    swaps: int = 0
    refusals: list[str] = field(default_factory=list)

    def swapped(self, _connection: int, _sentence: str, _now: datetime) -> None:
        self.swaps += 1

    def refused(self, _connection: int, sentence: str, _now: datetime) -> None:
        self.refusals.append(sentence)

    def ending(
        self, _connection: int, _fingerprint: str, _days: int, _ends_at: datetime, _now: datetime
    ) -> None:
        raise AssertionError("no certificate in use ends soon")


@dataclass
class Place:
    """The folder that the sender reads through a link, as a cluster's secrets are mounted."""

    folder: Path
    authority: Authority
    number: int = 0

    @property
    def live(self) -> Path:
        return self.folder / "live"

    @property
    def cert(self) -> Path:
        return self.live / "client.pem"

    @property
    def key(self) -> Path:
        return self.live / "client.key"

    def fresh(self) -> Issued:
        """Issue another good pair."""
        self.number += 1
        return issue_valid(
            self.folder / f"pair-{self.number}",
            self.authority,
            f"client-{self.number}",
            client=True,
            now=datetime.now(UTC),
        )

    def flip(self, cert: Path, key: Path) -> None:
        """Let the link lead to a folder with these two, in one step."""
        self.number += 1
        target = self.folder / f"data-{self.number}"
        target.mkdir()
        shutil.copy(cert, target / "client.pem")
        shutil.copy(key, target / "client.key")
        link = self.folder / "next"
        link.symlink_to(target)
        link.replace(self.live)


def renamed(place: Place) -> None:
    pair = place.fresh()
    pair.cert.replace(place.cert)
    pair.key.replace(place.key)


def key_first(place: Place) -> None:
    pair = place.fresh()
    pair.key.replace(place.key)
    pair.cert.replace(place.cert)


def in_pieces(place: Place) -> None:
    """Written in place, a piece at a time."""
    pair = place.fresh()
    for source, target in ((pair.cert, place.cert), (pair.key, place.key)):
        octets = source.read_bytes()
        with target.open("wb", buffering=0) as file:
            for at in range(0, len(octets), 97):
                file.write(octets[at : at + 97])


def flipped(place: Place) -> None:
    pair = place.fresh()
    place.flip(pair.cert, pair.key)


def half_written(place: Place) -> None:
    pair = place.fresh()
    place.cert.write_bytes(pair.cert.read_bytes()[:200])


def empty(place: Place) -> None:
    place.key.write_bytes(b"")


def mismatched(place: Place) -> None:
    place.fresh().key.replace(place.key)


def flipped_to_a_mismatch(place: Place) -> None:
    place.flip(place.fresh().cert, place.fresh().key)


def expired(place: Place) -> None:
    pair = issue_expired(
        place.folder / f"over-{place.number}", place.authority, client=True, now=datetime.now(UTC)
    )
    place.flip(pair.cert, pair.key)


def missing(place: Place) -> None:
    place.cert.unlink(missing_ok=True)


def unreadable(place: Place) -> None:
    """A folder in the file's place: not even root reads that."""
    place.key.unlink(missing_ok=True)
    place.key.mkdir()


def of_a_stranger(place: Place) -> None:
    """Right in itself, but the peer knows nobody who signed it."""
    stranger = make_authority(place.folder / f"stranger-{place.number}", name="A stranger")
    pair = issue_valid(stranger.path.parent, stranger, "c", client=True, now=datetime.now(UTC))
    place.flip(pair.cert, pair.key)


GOOD = (renamed, key_first, in_pieces, flipped)
BAD = (
    half_written,
    empty,
    mismatched,
    flipped_to_a_mismatch,
    expired,
    missing,
    unreadable,
    of_a_stranger,
)


class Load:
    """One session that submits all the time; it must never end."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.accepted = 0
        self.ends: list[object] = []

    async def run(self) -> None:
        """Submit what the window takes and count answers, until cancelled."""
        wire, position = self.call.wire, 0
        assert wire is not None
        while True:
            for _ in range(min(SEGMENTS_A_TIME, wire.session.free)):
                position += 1
                wire.submit([segment(position)])
            await asyncio.sleep(0.005)
            while not self.call.events.empty():
                event = self.call.events.get_nowait()
                if isinstance(event, Settled):
                    self.accepted += 1
                if isinstance(event, Closed | LinkDead):
                    self.ends.append(event)


def segment(position: int) -> Segment:
    return Segment(
        key=SegmentKey(1, 1, position, 1),
        part_count=1,
        source=Address(5, 0, "Shop"),
        destination=Address(1, 1, "447700900123"),
        short_message=b"hello",
        data_coding=0,
        has_header=False,
    )


async def swap(
    place: Place,
    act: Callable[[Place], None],
    one: Account,
    keepers: Keepers,
    watch: CertificateWatch,
) -> str:
    """Do it while the watch looks, and bind once more with what is in use then."""
    if place.key.is_dir():
        place.key.rmdir()
    act(place)
    for _ in range(3):
        await watch.look(one)
        await asyncio.sleep(SETTLE)
    call = Call(one, keepers)
    outcome = await call.outcome()
    await call.end()
    return outcome


async def storm(
    served: DemoCertificates, place: Place, simulator: RunningSimulator, order: random.Random
) -> list[str]:
    """All of it, with the assertions where they belong; return what each bind had to show."""
    keepers, told = Keepers(settle_seconds=SETTLE), Told()
    watch = CertificateWatch(keepers, told, None)
    one = account(served.ca, place.cert, place.key, simulator.port)
    used = [certificate_hash(place.cert)]
    steady = Call(one, keepers)
    assert await steady.outcome() == BOUND
    load = Load(steady)
    running = asyncio.create_task(load.run())
    telling = asyncio.create_task(watch.run(lambda: ()))
    acts = [*GOOD, *BAD]
    done: Counter[str] = Counter()
    for number in range(SWAPS):
        act = acts[number] if number < len(acts) else order.choice(acts)
        before = load.accepted
        assert await swap(place, act, one, keepers, watch) == BOUND, (number, act.__name__)
        assert load.accepted > before, (number, act.__name__)
        done[act.__name__] += 1
        used.append(certificate_hash(place.cert) if act in GOOD else used[-1])
        if act not in GOOD:
            assert keepers.of(one).trouble, act.__name__
    await asyncio.sleep(1.1)
    running.cancel()
    telling.cancel()
    assert load.ends == []
    assert told.swaps == sum(done[act.__name__] for act in GOOD)
    assert len(told.refusals) > len(BAD)
    print(f"{SWAPS} swaps, {told.swaps} taken, {len(told.refusals)} refusals told; {dict(done)}")
    await steady.end()
    return used


def test_two_hundred_swaps_lose_no_session_and_no_handshake_lacks_a_certificate(
    tmp_path: Path,
) -> None:
    served = demo_certificates(tmp_path / "served")
    place = Place(tmp_path / "ours", read_authority(served.ca.parent))
    place.folder.mkdir()
    place.flip(served.client_cert, served.client_key)
    simulator = start_simulator(tmp_path, served, receipts=False)
    try:
        used = asyncio.run(storm(served, place, simulator, random.Random(20261121)))
        assert simulator.counters()["binds"] == SWAPS + 1
        assert simulator.certificates() == used
    finally:
        simulator.stop()

"""Coverage-guided fuzzing of what reads a peer's octets, by atheris.

`python -m tests.fuzz.decoder CORPUS -max_total_time=60` mutates what lies in the folder CORPUS,
which may be empty, and stops at the first input that breaks a promise: nothing raises, nothing
grows, splitting the octets changes no event, and every segment has one fate.
"""

import sys
from collections import Counter

import atheris

with atheris.instrument_imports(include=["smpp_client"]):
    from smpp_client.protocol.events import Closed, Event, LinkDead, ProtocolFault, Settled
    from smpp_client.protocol.framing import LARGEST
    from smpp_client.protocol.session import Session
    from tests.smpp_client.protocol.make import accepted, bound, delivery_body, pdu, segment

from smpp_client.protocol.pdus import DELIVER_SM, ENQUIRE_LINK

SEGMENTS = 3


def one_input(data: bytes) -> None:
    """Read octets whole and in pieces of the size that their first octet says."""
    if len(data) < 2:
        return
    size, octets = 1 + data[0], data[1:]
    whole, pieces = _session(), _session()
    told = [*whole.receive(octets, 0.1), *whole.connection_lost(9.0, "the end")]
    split: list[Event] = []
    for at in range(0, len(octets), size):
        split += pieces.receive(octets[at : at + size], 0.1)
    split += pieces.connection_lost(9.0, "the end")
    assert _essence(told) == _essence(split), (told, split)
    assert whole._framer.pending < LARGEST + 256
    assert whole.unanswered <= whole.config.unanswered_limit
    _check_fates(told)


def _session() -> Session:
    session = bound(window=10)
    session.submit([segment(position) for position in range(1, SEGMENTS + 1)], 0.0)
    while block := session.bytes_to_send():
        session.taken(len(block), 0.0)
    return session


def _essence(told: list[Event]) -> list[object]:
    """Leave out sentences: they quote as much of nonsense as had come."""
    essence: list[object] = []
    for event in told:
        if isinstance(event, Closed):
            essence.append((event.unknown, event.released))
        elif isinstance(event, ProtocolFault | LinkDead):
            essence.append(type(event))
        else:
            essence.append(event)
    return essence


def _check_fates(told: list[Event]) -> None:
    fates: Counter[int] = Counter()
    for event in told:
        if isinstance(event, Settled):
            fates[event.segment.key.position] += 1
        if isinstance(event, Closed):
            fates.update(one.key.position for one in (*event.unknown, *event.released))
    assert fates == Counter(range(1, SEGMENTS + 1)), fates


def seeds() -> list[bytes]:
    """Some inputs that reach deep at once."""
    receipt = (
        b"id:1 sub:001 dlvrd:001 submit date:2611210900 done date:2611210901 stat:DELIVRD err:000"
    )
    return [
        b"\xff" + accepted(2) + accepted(3, "7f") + accepted(4),
        b"\x07" + pdu(DELIVER_SM, 1, delivery_body(receipt)),
        b"\x01" + pdu(DELIVER_SM, 1, delivery_body(b"STOP", esm_class=0x40)),
        b"\x03" + pdu(ENQUIRE_LINK, 0xFFFFFFFF) + b"GET / HTTP/1.1\r\n",
    ]


def main() -> None:
    """Check the seeds, then fuzz as libFuzzer's options say."""
    for seed in seeds():
        one_input(seed)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

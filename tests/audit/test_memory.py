"""The signer's memory, as text."""

from datetime import UTC, datetime

import pytest

from audit.rules.chain import Link
from audit.rules.epochs import read_epoch
from audit.rules.keyring import KeySpan
from audit.rules.memory import BadMemory, Memory, read_memory
from tests.audit import vectors

AT = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
FULL = Memory(
    install=vectors.INSTALL,
    keys=(KeySpan(vectors.LOG_KEY, until=AT), KeySpan(vectors.WITNESS_KEY, 1, "note\n")),
    epoch=read_epoch(vectors.EPOCH),
    root=bytes.fromhex(vectors.EPOCH_LEAF),
    links=(
        Link(0, vectors.INSTALL, 7, b"h" * 32, AT),
        Link(1, vectors.WORKSPACE, 0, b"g" * 32),
    ),
)


@pytest.mark.parametrize("memory", [FULL, Memory(vectors.INSTALL, (KeySpan(vectors.LOG_KEY),))])
def test_a_memory_reads_back_as_itself(memory: Memory) -> None:
    assert read_memory(memory.text()) == memory


def test_a_memory_counts_the_epochs_that_were_signed() -> None:
    assert (FULL.size, Memory(vectors.INSTALL, ()).size) == (1, 0)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", FULL.text()[:-20], FULL.text().replace("5b1f", "x")]
)
def test_a_damaged_memory_is_refused(text: str) -> None:
    with pytest.raises(BadMemory):
        read_memory(text)

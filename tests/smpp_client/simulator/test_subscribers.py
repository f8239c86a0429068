"""Subscribers who write by themselves, from a file beside the simulator."""

import asyncio
import json
import logging
import time
from pathlib import Path

import pytest

from smpp_client.simulator.exchange import Config, Exchange
from smpp_client.simulator.subscribers import taken_name, write_from

NOBODY = {"system_id": "center", "source": "447700900001", "destination": "2020"}


def waiting(exchange: Exchange) -> list[bytes]:
    """Return the deliver_sm that wait for a receiver."""
    return list(exchange.accounts["center"].waiting)


def run(folder: Path, text: str, count: int) -> list[bytes]:
    """Put a file with this text there and look for it until `count` messages wait."""

    async def go() -> list[bytes]:
        exchange = Exchange(Config(ledger=folder / "ledger"), asyncio.get_running_loop())
        task = asyncio.create_task(write_from(folder / "says.jsonl", exchange, 0.01))
        (folder / "says.jsonl").write_text(text)
        deadline = time.monotonic() + 30
        while len(waiting(exchange)) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        task.cancel()
        found = waiting(exchange)
        exchange.close()
        return found

    return asyncio.run(go())


def lines(*texts: str) -> str:
    """Return the file of one subscriber who writes these."""
    return "".join(json.dumps(NOBODY | {"text": text, "after": 0.01}) + "\n" for text in texts)


def test_each_line_is_a_message_and_the_file_is_taken_away(tmp_path: Path) -> None:
    first, second = run(tmp_path, lines("When?", "STOP"), 2)
    assert "When?".encode("utf-16-be") in first
    assert "STOP".encode("utf-16-be") in second
    assert not (tmp_path / "says.jsonl").exists()
    assert taken_name(tmp_path / "says.jsonl").exists()


def test_a_line_that_cannot_be_read_is_logged_and_the_next_is_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = "no JSON\n[1]\n" + json.dumps({"source": "1"}) + "\n" + lines("When?")
    with caplog.at_level(logging.ERROR):
        (only,) = run(tmp_path, text, 1)
    assert "When?".encode("utf-16-be") in only
    assert len(caplog.records) == 3

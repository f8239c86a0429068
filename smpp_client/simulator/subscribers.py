"""Subscribers who write by themselves: from a file that somebody puts beside the simulator."""

import asyncio
import json
import logging
from pathlib import Path

from smpp_client.simulator.exchange import Exchange

LOOK_SECONDS = 1.0
logger = logging.getLogger(__name__)


def taken_name(file: Path) -> Path:
    """Return what a file is called once it was taken."""
    return file.with_suffix(".taken")


async def write_from(file: Path, exchange: Exchange, look_seconds: float = LOOK_SECONDS) -> None:
    """Write what each file of this name holds, until cancelled.

    A line is a JSON object as `write` of the control port takes it, with the seconds to wait before
    it in `after`. A file is renamed before its first line is written: nothing is written twice.
    """
    while True:
        if file.exists():
            lines = file.replace(taken_name(file)).read_text("utf-8").splitlines()
            for line in lines:
                await _write(line, exchange)
        await asyncio.sleep(look_seconds)


async def _write(line: str, exchange: Exchange) -> None:
    try:
        message = json.loads(line)
        await asyncio.sleep(message.pop("after", 0))
        exchange.write_to(**message)
    except (ValueError, TypeError, AttributeError) as error:
        logger.error("No subscriber can write %s: %s", line, error)

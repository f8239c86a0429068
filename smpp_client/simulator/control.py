"""A small control port on loopback: one JSON object per line in, one per line out.

{"set": {"throttle_every": 5}}   change switches           -> {"ok": true, "faults": {...}}
{"get": true}                    counters, switches and the SHA-256 of the certificate of each bind
                                 (of the last 1,000)       -> {"ok": true, "counters": ...}
{"do": "drop"}                   drop, unbind or enquire, on all open sessions
{"write": {"system_id": ..., "source": ..., "destination": ..., "text": ...}}
                                 a subscriber writes to a sender; instead of the text: "octets"
                                 in hexadecimal, with their "coding" and "esm_class"
"""

import asyncio
import json
from dataclasses import asdict
from functools import partial
from ipaddress import ip_address
from typing import Any

from smpp_client.simulator.exchange import Exchange
from smpp_client.simulator.faults import switched


async def serve_control(exchange: Exchange, host: str, port: int) -> asyncio.Server:
    """Listen for control lines; ValueError when the address is not a loopback address."""
    if not ip_address(host).is_loopback:
        raise ValueError(f"The control port listens on loopback only, not on {host}.")
    return await asyncio.start_server(partial(_converse, exchange), host, port)


async def _converse(
    exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while line := await reader.readline():
            writer.write(json.dumps(answer(exchange, line)).encode() + b"\n")
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def answer(exchange: Exchange, line: bytes) -> dict[str, Any]:
    """Do what one line says; what cannot be done is said in `error`."""
    try:
        request = json.loads(line)
        return {"ok": True, **_done(exchange, request)}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def _done(exchange: Exchange, request: dict[str, Any]) -> dict[str, Any]:
    match request:
        case {"set": dict(changes)}:
            exchange.faults = switched(exchange.faults, changes)
        case {"do": "drop" | "unbind" | "enquire" as verb}:
            for connection in list(exchange.connections):
                getattr(connection, verb)()
        case {"write": dict(message)}:
            exchange.write_to(**message)
        case {"get": True}:
            return {
                "counters": _counters(exchange),
                "certificates": list(exchange.certificates),
                "faults": asdict(exchange.faults),
            }
        case _:
            raise ValueError("Say set, get, do or write.")
    return {"faults": asdict(exchange.faults)}


def _counters(exchange: Exchange) -> dict[str, int]:
    exchange.counters.receipts_open = exchange.count_open_receipts()
    return asdict(exchange.counters)

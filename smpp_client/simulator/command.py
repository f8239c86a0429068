"""The simulator's command line, shared by `manage.py simulator` and `-m smpp_client.simulator`."""

import argparse
import asyncio
import gc
import logging
import signal
from dataclasses import fields
from pathlib import Path
from typing import Any

from smpp_client.simulator.exchange import Config
from smpp_client.simulator.faults import BadSwitch, Faults, switched
from smpp_client.simulator.server import Simulator


def main(words: list[str]) -> int:
    """Run a simulator as the command line says until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    add_arguments(parser)
    options = vars(parser.parse_args(words))
    try:
        run(config_from(options))
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the set-up's options, and one option per switch of Faults."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2775, help="0 takes a free port")
    parser.add_argument("--plain", action="store_true", help="TCP without TLS")
    for name in ("ca", "cert", "key"):
        parser.add_argument(f"--{name}", type=Path, help="PEM file; needed without --plain")
    parser.add_argument("--ledger", type=Path, required=True, help="file to append to")
    parser.add_argument("--system-id", help="the only system_id that may bind")
    parser.add_argument("--password-file", type=Path, help="file that holds its password")
    parser.add_argument("--control", metavar="HOST:PORT", help="control port, on loopback")
    parser.add_argument(
        "--write-from", type=Path, metavar="FILE", help="messages of subscribers, as JSON lines"
    )
    parser.add_argument(
        "--check-every", type=int, default=1000, help="let smpplib check every Nth PDU, 0 none"
    )
    for each in fields(Faults):
        _add_switch(parser, each.name, each.default, each.metadata)


def _add_switch(parser: argparse.ArgumentParser, name: str, default: Any, about: Any) -> None:
    option, sentence = f"--{name.replace('_', '-')}", about["help"]
    if default is True:
        parser.add_argument(
            option, default=True, action=argparse.BooleanOptionalAction, help=sentence
        )
    elif default is False:
        parser.add_argument(option, action="store_true", help=sentence)
    elif default == ():
        parser.add_argument(
            option, nargs=2, action="append", default=[], metavar=("PATTERN", "CODE"), help=sentence
        )
    else:
        kind = _whole if type(default) is int else type(default)
        choices = about["choices"] or None
        parser.add_argument(option, type=kind, default=default, choices=choices, help=sentence)


def _whole(text: str) -> int:
    """Read 88 or 0x58."""
    return int(text, 0)


def config_from(options: dict[str, Any]) -> Config:
    """Turn parsed options into the set-up; BadSwitch or OSError say what does not fit."""
    switches = {each.name: options[each.name] for each in fields(Faults)}
    pairs = switches["refuse_destination"]
    switches["refuse_destination"] = [(pattern, _whole(code)) for pattern, code in pairs]
    if not options["plain"] and not (options["ca"] and options["cert"] and options["key"]):
        raise BadSwitch("Name --ca, --cert and --key, or choose --plain.")
    host, _, port = (options["control"] or "").rpartition(":")
    password = options["password_file"]
    return Config(
        ledger=options["ledger"],
        host=options["host"],
        port=options["port"],
        plain=options["plain"],
        ca=options["ca"],
        cert=options["cert"],
        key=options["key"],
        system_id=options["system_id"],
        password=password.read_text(encoding="utf-8").strip() if password else None,
        control_host=host or "127.0.0.1",
        control_port=int(port) if port else None,
        write_from=options["write_from"],
        check_every=options["check_every"],
        faults=switched(Faults(), switches),
    )


def run(config: Config) -> None:
    """Run one simulator; print `control PORT` and `ready PORT` when it listens."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Nothing here makes cycles by the message; frequent collections would only cost time.
    gc.set_threshold(100_000, 50, 100)
    asyncio.run(_serve(config))


async def _serve(config: Config) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    async with Simulator(config) as simulator:
        if simulator.control_port:
            print(f"control {simulator.control_port}", flush=True)  # noqa: T201 - the starter reads it
        print(f"ready {simulator.port}", flush=True)  # noqa: T201 - the starter reads it
        await stopped.wait()

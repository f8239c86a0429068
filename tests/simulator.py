"""Starts the simulator as a process of its own, and talks to its control port."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from message_center.stack.certificates import DemoCertificates

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 20.0


@dataclass
class RunningSimulator:
    """One simulator process: `port` speaks SMPP, `ledger` is the file it appends to."""

    process: subprocess.Popen[str]
    port: int
    control_port: int
    ledger: Path

    def control(self, **switches: Any) -> dict[str, Any]:
        """Change switches while it runs, `control(throttle_every=5)`; return all of them."""
        faults: dict[str, Any] = self.ask({"set": switches})["faults"]
        return faults

    def counters(self) -> dict[str, int]:
        """Return what it has counted since its start."""
        counters: dict[str, int] = self.ask({"get": True})["counters"]
        return counters

    def certificates(self) -> list[str]:
        """Return the SHA-256 in hexadecimal of the certificate of each bind, the oldest first."""
        certificates: list[str] = self.ask({"get": True})["certificates"]
        return certificates

    def do(self, verb: str) -> None:
        """Let it `drop`, `unbind` or `enquire` on every open session."""
        self.ask({"do": verb})

    def write(self, *, system_id: str, source: str, destination: str, **content: Any) -> None:
        """Let the subscriber `source` write to the sender `destination` by SMS: `text`, or `octets`
        in hexadecimal with `coding` and `esm_class`.
        """
        message = {"system_id": system_id, "source": source, "destination": destination}
        self.ask({"write": message | content})

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one control line; AssertionError with its sentence when it was not done."""
        with socket.create_connection(("127.0.0.1", self.control_port), timeout=10) as wire:
            wire.sendall(json.dumps(request).encode() + b"\n")
            with wire.makefile("rb") as lines:
                answer: dict[str, Any] = json.loads(lines.readline())
        assert answer["ok"], answer
        return answer

    def wait_for(self, *, seconds: float = 10.0, **least: int) -> dict[str, int]:
        """Poll until every named counter is at least so high; return all counters.

        AssertionError after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while True:
            counters = self.counters()
            if all(counters[name] >= number for name, number in least.items()):
                return counters
            assert time.monotonic() < deadline, f"waited for {least}, have {counters}"
            time.sleep(0.01)

    def freeze(self) -> None:
        """Stop the process where it is, as a hung peer: the kernel still takes what is sent."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it without a word."""
        self.process.kill()
        self._wait()

    def stop(self) -> None:
        """End it as a service manager would, frozen or not."""
        if self.process.poll() is None:
            self.process.terminate()
            self.thaw()
        self._wait()

    def _wait(self) -> None:
        self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()


def certificate_hash(file: Path) -> str:
    """Return the SHA-256 of a PEM file's certificate, as `RunningSimulator.certificates` do."""
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex()


def start_simulator(
    folder: Path,
    certificates: DemoCertificates | None,
    *,
    port: int = 0,
    name: str = "ledger",
    system_id: str | None = None,
    password: str | None = None,
    check_every: int = 100,
    **switches: Any,
) -> RunningSimulator:
    """Start a simulator whose ledger is `folder/NAME.tsv`; plain TCP without certificates.

    Switches are those of `smpp_client.simulator.faults.Faults`. A second start with the same
    folder and name appends to the same ledger; pass `port` to come back at the same place.
    """
    ledger = folder / f"{name}.tsv"
    words = ["--port", str(port), "--ledger", str(ledger), "--control", "127.0.0.1:0"]
    words += ["--check-every", str(check_every)]
    if certificates:
        words += ["--ca", str(certificates.ca)]
        words += ["--cert", str(certificates.server_cert), "--key", str(certificates.server_key)]
    else:
        words += ["--plain"]
    if system_id:
        words += ["--system-id", system_id]
    if password:
        secret = folder / f"{name}.password"
        secret.write_text(password)
        words += ["--password-file", str(secret)]
    process = subprocess.Popen(
        [sys.executable, "-m", "smpp_client.simulator", *words, *_options(switches)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ports = _read_ports(process)
    except BaseException:
        process.kill()
        process.wait(10)
        raise
    return RunningSimulator(process, ports["ready"], ports["control"], ledger)


def _options(switches: dict[str, Any]) -> list[str]:
    """Write switches as the command line does: receipts=False is --no-receipts."""
    words: list[str] = []
    for name, value in switches.items():
        option = name.replace("_", "-")
        if value is True:
            words += [f"--{option}"]
        elif value is False:
            words += [f"--no-{option}"] if name == "receipts" else []
        elif isinstance(value, list | tuple):
            for pattern, code in value:
                words += [f"--{option}", str(pattern), str(code)]
        else:
            words += [f"--{option}", str(value)]
    return words


def _read_ports(process: subprocess.Popen[str]) -> dict[str, int]:
    """Read the lines `control PORT` and `ready PORT`; AssertionError when they do not come."""
    assert process.stdout
    ports: dict[str, int] = {}
    deadline = time.monotonic() + START_SECONDS
    file = process.stdout.fileno()
    text = b""
    while "ready" not in ports:
        left = deadline - time.monotonic()
        readable, _, _ = select.select([file], [], [], max(0.0, left))
        piece = os.read(file, 4096) if readable else b""
        assert piece, f"the simulator did not start (exit code {process.poll()})"
        text += piece
        lines = text.split(b"\n")
        ports = {word.decode(): int(number) for word, number in map(bytes.split, lines[:-1])}
    return ports

"""A campaign over somebody else's SMSC, held against what that wrote down; five bad servers; and
the full check of the good one.
"""

import json
import os
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from campaigns.models import Campaign
from message_center.stack.certificates import (
    DemoCertificates,
    Issued,
    demo_certificates,
    read_authority,
)
from message_center.stack.ports import LOOPBACK, reserve
from smpp_client.models import Connection, Route, SessionStatus
from tests import make
from tests.campaigns.sending.wire import progress, wait_bound
from tests.ground import SHARED, Ground
from tests.poll import poll
from tests.processes import Processes
from tests.wrong_servers import WRONG_SERVERS
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

SCRIPT = Path(__file__).with_name("smsc.js")
NAME = "foreign"
PEOPLE = 200
# Its script accepts every number, and it has one host.
FAILS, LEAVES_OUT = {"wrong_number"}, {"failover"}
SHORT = "Hello {{name}}"
# Two parts in the alphabet of 70 characters.
LONG = "Салом, {{name}}! " + "Бу хабар икки қисмдан иборат. " * 3


@dataclass(frozen=True)
class Foreign:
    """A running server of theirs, and the lines that it writes."""

    port: int
    log: Path

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """Return what it wrote of one kind: bind, submit, receipt or tls."""
        if not self.log.exists():
            return []
        return [
            line for row in self.log.read_text().splitlines() if kind in (line := json.loads(row))
        ]


def run(ground: Ground, folder: Path, modules: Path) -> bool:
    """Try everything, print it, and say whether it was as it should be."""
    processes = Processes(ground, SHARED, ground.folder / "foreign")
    good = demo_certificates(folder / "good")
    with scope_everywhere("the trial looks at everything"), ExitStack() as stack:
        stack.callback(processes.stop)
        pair = Issued(good.server_cert, good.server_key)
        theirs = stack.enter_context(served(folder, modules, "good", pair, good.ca))
        author = make.person_in(make.workspace(), Role.ADMIN)
        add(NAME, theirs, good, "--grant", author.here.slug)
        refused = list(_bad_servers(stack, folder, modules))
        through = Route.objects.get(name=NAME)
        sender = processes.start("sender")
        wait_bound(Connection.objects.get(name=NAME))
        results = [_sent(author, through, theirs, text) for text in (SHORT, LONG)]
        results += [_refused(*one) for one in refused]
        # Beside a sender that sends, window, rate and load are left out.
        sender.term()
        return all([*results, _checked(folder / "reports")])


@contextmanager
def served(folder: Path, modules: Path, name: str, pair: Issued, ca: Path) -> Iterator[Foreign]:
    """Run their server with this pair until the block ends."""
    port, holder = reserve()
    log = folder / f"{name}.log"
    words = ["node", *map(str, (SCRIPT, port, pair.cert, pair.key, ca, log))]
    environment = {**os.environ, "NODE_PATH": str(modules / "node_modules")}
    holder.close()
    with subprocess.Popen(words, env=environment) as process:
        try:
            poll(lambda: _answers(port), 20, f"{name} does not listen")
            yield Foreign(port, log)
        finally:
            process.kill()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
        return True
    return False


def add(name: str, to: Foreign, ours: DemoCertificates, *words: str) -> None:
    """Add a connection to a server of theirs by the management command, as an operator does."""
    password = ours.ca.with_name("password")
    password.write_text("secret")
    call_command(
        "connection",
        "add",
        name,
        *("--host", LOOPBACK, "--port", str(to.port), "--server-name", "localhost"),
        *("--system-id", "center", "--password-file", str(password)),
        *("--ca", str(ours.ca), "--cert", str(ours.client_cert), "--key", str(ours.client_key)),
        *("--rate", "200", "--window", "20"),
        *words,
    )


def _bad_servers(
    stack: ExitStack, folder: Path, modules: Path
) -> Iterator[tuple[str, Foreign, str]]:
    for name, issue, words in WRONG_SERVERS:
        ours = demo_certificates(folder / name)
        pair = issue(folder / name, read_authority(folder / name), datetime.now(UTC))
        theirs = stack.enter_context(served(folder, modules, name, pair, ours.ca))
        add(name, theirs, ours, "--no-route")
        yield name, theirs, words


def _sent(author: Me, through: Route, theirs: Foreign, text: str) -> bool:
    """Send a campaign and compare: each text once to each number, a receipt taken for each part."""
    before = len(theirs.lines("submit")), len(theirs.lines("receipt"))
    campaign = make.sending(author, through, PEOPLE, text=text)
    poll(lambda: progress(campaign).delivered == PEOPLE, 120, "not all are delivered")
    submits = theirs.lines("submit")[before[0] :]
    receipts = theirs.lines("receipt")[before[1] :]
    got = Counter((line["to"], line["submit"]) for line in submits)
    texts: dict[str, str] = {}
    for line in submits:
        texts[line["to"]] = texts.get(line["to"], "") + line["text"]
    wanted = {make.number(n): text.replace("{{name}}", f"Name{n}") for n in range(PEOPLE)}
    is_right = (
        texts == wanted
        and max(got.values()) == 1
        and len(submits) == len(receipts) == _segments(campaign)
        and all(line["status"] == 0 for line in receipts)
    )
    print(
        f"  {PEOPLE} people, {len(submits)} submits for {_segments(campaign)} segments,"
        f" {len(receipts)} receipts taken, {progress(campaign).delivered} delivered, every text its"
        f" own: {'yes' if is_right else 'NO'}"
    )
    return is_right


def _segments(campaign: Campaign) -> int:
    campaign.refresh_from_db()
    return campaign.segment_total


def _refused(name: str, theirs: Foreign, words: str) -> bool:
    """Wait until the sender says why it does not bind; there must have been no bind."""
    row = SessionStatus.objects.filter(lease__connection__name=name)
    poll(lambda: row.values_list("sentence", flat=True).first(), 60, f"nothing is said of {name}")
    sentence = row.values_list("sentence", flat=True).first()
    binds = len(theirs.lines("bind"))
    print(f"  {name}: {binds} binds; {sentence}")
    return binds == 0 and words in (sentence or "")


def _checked(folder: Path) -> bool:
    """Go through the full check; what is known of the script fails and is left out, no more."""
    numbers = [word for n in range(2) for word in ("--to", f"+{make.number(n)}")]
    limits = ("--messages", "3000", "--above-rate", "--out", str(folder))
    # It ends with a failure, which the report tells.
    with suppress(CommandError):
        call_command("connection", "check", NAME, "--full", *numbers, "--from", "Example", *limits)
    (report,) = folder.glob("*.json")
    steps = json.loads(report.read_text())["steps"]
    failed, left_out = (
        {step["key"] for step in steps if step["state"] == state}
        for state in ("failed", "not_tried")
    )
    print(f"  failed: {', '.join(sorted(failed))}; not tried: {', '.join(sorted(left_out))}")
    return (failed, left_out) == (FAILS, LEAVES_OUT)

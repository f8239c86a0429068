"""One installation's log with its sequencer and signer in this process, and what attackers do."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.actions.sequence import Sequencer, Step
from audit.actions.sign import HELD, VERIFIER_KEY, Folder, Signer, start
from audit.queries import chains
from audit.queries.following import Fixed, read
from audit.rules import hashes
from audit.rules.canonical import stamp
from audit.rules.chain import first_link
from audit.rules.clock import Reading
from audit.rules.epochs import Epoch
from audit.rules.events import Happening
from audit.rules.notes import Checkpoint, VerifierKey, read_key, read_signed_checkpoint
from tests.audit.conftest import Log
from tests.audit.make import INSTALL, MARKETING, NOW, append, open_chains, rows, without_guards

SECRET = b"s" * 32
HOUR = 3600.0
DOMAIN = "audit.telco.example"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


class Site:
    """Slot 0 is the system's, 1 Marketing's, 2 Roaming's. Times are seconds after NOW."""

    def __init__(self, log: Log, folder: Path) -> None:
        self.log = log
        self.runtime = log.connect("app")
        self.superuser = log.connect("superuser")
        open_chains(self.runtime)
        self.folder = Folder(folder)
        self.sequencer = Sequencer(log.connect("sequencer"), secret=SECRET, epoch_seconds=HOUR)
        self.signer: Signer | None = None

    def write(self, *workspaces: UUID, op: str = "campaign.approve") -> Happening:
        """Record an event for each workspace (Marketing by default) and return the last."""
        return [append(self.runtime, ws=ws, op=op) for ws in workspaces or [MARKETING]][-1]

    def sequence(self, seconds: float) -> Step:
        """Number what waits."""
        return self.sequencer.step(Reading(NOW + timedelta(seconds=seconds), 1000 + seconds))

    def sign(self) -> list[Fixed]:
        """Let the signer follow; it is started when it does not run."""
        if self.signer is None:
            self.signer = self.start_signer()
        assert self.signer is not None
        return self.signer.step(now=NOW)

    def start_signer(
        self, *privates: Ed25519PrivateKey, secret: bytes = SECRET, trusts: bool = False
    ) -> Signer | None:
        return start(
            self.log.connect("signer"),
            folder=self.folder,
            privates=privates or [KEY],
            domain=DOMAIN,
            secret=secret,
            now=NOW,
            trusts_database=trusts,
        )

    def hours(self, count: int) -> None:
        """Write, number and sign over so many hours, an event for Marketing in each."""
        for hour in range(count):
            self.write()
            self.sequence(hour * HOUR)
            self.sign()

    @property
    def key(self) -> VerifierKey:
        """The present key of the log."""
        return self.keys[0]

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The log's keys, the present one first."""
        return tuple(map(read_key, (self.folder.read(VERIFIER_KEY) or "").splitlines()))

    @property
    def held(self) -> Checkpoint:
        return read_signed_checkpoint(self.folder.read(HELD) or "", [self.key])

    def notes(self) -> list[str | None]:
        return [
            note for (note,) in rows(self.superuser, "SELECT note FROM audit_epoch ORDER BY epoch")
        ]

    def epochs(self) -> list[Epoch]:
        return [read(stored) for stored in chains.epochs(self.superuser)]

    def attack(self, *statements: str) -> None:
        """Do what a superuser can do, leaving no disabled trigger behind."""
        with without_guards(self.superuser):
            for statement in statements:
                self.superuser.execute(statement.replace(":marketing", f"'{MARKETING}'"))

    def rehash(self, ws: UUID = MARKETING, slot: int = 1) -> None:
        """Recompute leaves, entries and head of a chain from its texts, as an attacker would."""
        link = first_link(INSTALL, ws, slot, NOW + timedelta(seconds=slot))
        prev, seq = link.hash, 0
        with without_guards(self.superuser):
            for entry in list(chains.entries(self.superuser, ws, after=0)):
                seq += 1
                leaf = hashes.leaf_hash(entry.body.encode())
                found = hashes.entry_hash(ws, seq, stamp(entry.at), prev, leaf)
                self.superuser.execute(
                    "UPDATE audit_event SET leaf = %s WHERE id ="
                    " (SELECT event_id FROM audit_entry WHERE ws = %s AND seq = %s)",
                    [leaf, ws, entry.seq],
                )
                self.superuser.execute(
                    "UPDATE audit_entry SET seq = %s, prev = %s, hash = %s"
                    " WHERE ws = %s AND seq = %s",
                    [seq, prev, found, ws, entry.seq],
                )
                prev = found
            self.superuser.execute(
                "UPDATE audit_head SET seq = %s, hash = %s WHERE ws = %s", [seq, prev, ws]
            )


# :marketing stands for the workspace's UUID.
EDIT = (
    "UPDATE audit_event SET body = replace(body, 'usr_6', 'usr_7') WHERE id ="
    " (SELECT event_id FROM audit_entry WHERE ws = :marketing AND seq = {seq})"
)
DELETE_ENTRY = "DELETE FROM audit_entry WHERE ws = :marketing AND seq = {seq}"
SET_BACK = (
    "UPDATE audit_head h SET seq = e.seq, hash = e.hash FROM audit_entry e"
    " WHERE e.ws = h.ws AND h.ws = :marketing AND e.seq = {seq}"
)

"""What the tests of evidence stand on: a desk that sends, a sequencer, and a key that signs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from django.utils import timezone

from audit.actions.record import open_chain
from audit.actions.sequence import Sequencer
from audit.rules import hashes
from audit.rules.clock import Reading
from audit.rules.notes import Checkpoint, public_key, sign
from campaigns.actions.sealing import seal_messages
from campaigns.models import Campaign, Message, MessageSegment
from campaigns.queries.segment_files import path_of
from smpp_client.carrier import Kind, Segment
from tests import make
from tests.campaigns.sending.ground import Ground
from tests.campaigns.sending.ground import ground as sending_ground
from tests.conftest import Database
from workspaces.models import Workspace
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.scope import scope_everywhere

SECRET = b"s" * 40
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
REASON = "the test looks at everything"
HOUR = timedelta(hours=1)


@dataclass
class Sealed:
    """One workspace. `now` is when it was made; hours pass by the test's arguments only."""

    desk: Ground
    database: Database
    sequencer: Sequencer
    signer: "psycopg.Connection[Any]"
    now: datetime
    opened: list["psycopg.Connection[Any]"] = field(default_factory=list)

    @property
    def place(self) -> Workspace:
        return self.desk.author.here

    @property
    def admin(self) -> Me:
        return self.desk.author

    def campaign(self, rows: int = 5, **fields: Any) -> Campaign:
        """Make a campaign that is sending to number(0) and so on."""
        with scope_everywhere(REASON):
            return make.sending(self.admin, self.desk.route, rows, **fields)

    def send(self, rows: int = 5, **fields: Any) -> tuple[Campaign, Sequence[Segment]]:
        """Make a campaign and have all of it accepted."""
        campaign = self.campaign(rows, **fields)
        with scope_everywhere(REASON):
            segments = self.desk.claim()
            self.desk.record(segments, Kind.SUBMITTED)
        return campaign, segments

    def receipts(self, segments: Sequence[Segment], state: str = "delivered") -> None:
        """Let receipts come and be applied."""
        with scope_everywhere(REASON):
            self.desk.receipts(segments, state)

    def seal(self, hours: float = 0) -> int:
        """Seal so many hours after `now`."""
        return seal_messages(self.now + timedelta(hours=hours))

    def sign(self, days: float = 0) -> None:
        """Number what waits, fix the epoch that sealing asks for, and sign its checkpoint; as if it
        were so many days later.
        """
        is_full = True
        while is_full:
            at = Reading(timezone.now() + timedelta(days=days), monotonic())
            is_full = self.sequencer.step(at).is_full
        epochs = self.signer.execute("SELECT epoch, body FROM audit_epoch ORDER BY epoch")
        lines = [body.encode() for _, body in epochs]
        root = hashes.tree_root([hashes.leaf_hash(line) for line in lines])
        note = sign(Checkpoint(self.origin, len(lines), root).body, self.origin, KEY)
        self.signer.execute("SELECT audit_publish_note(%s, %s)", [len(lines) - 1, str(note)])

    @property
    def origin(self) -> str:
        """Return the log's name."""
        row = self.signer.execute("SELECT ws FROM audit_head WHERE slot = 0").fetchone()
        assert row
        return f"audit.telco.example/{row[0]}"

    @property
    def vkey(self) -> str:
        """Return the verifier key of the log."""
        return str(public_key(self.origin, KEY))

    def segments(self, where: Workspace | None = None) -> list[MessageSegment]:
        """Return a workspace's segments."""
        with scope_everywhere(REASON):
            rows = MessageSegment.objects.filter(workspace=where or self.place)
            return list(rows.order_by("number"))

    def path(self, segment: MessageSegment) -> Path:
        """Return where a segment lies."""
        return path_of(self.place, segment)

    def lines(self, segment: MessageSegment) -> list[dict[str, Any]]:
        """Return what a segment's lines say."""
        return [json.loads(line) for line in self.path(segment).read_text().splitlines()]

    def position(self, campaign: Campaign, index: int) -> int:
        """Return where number(index) stands in a campaign."""
        with scope_everywhere(REASON):
            found = Message.objects.get(
                campaign=campaign, fingerprint=keys().fingerprint(make.number(index))
            )
        return int(found.position)

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """Run a statement as the application, seeing everything."""
        with scope_everywhere(REASON), connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    def connect(self, role: str) -> "psycopg.Connection[Any]":
        """Open another connection."""
        opened = psycopg.connect(self.database.url(role), autocommit=True)
        self.opened.append(opened)
        return opened

    def close(self) -> None:
        """Close every connection."""
        with scope_everywhere(REASON):
            self.desk.close()
        for opened in self.opened:
            opened.close()


def sealed_ground(database: Database) -> Sealed:
    """Make the ground in a database whose installation has its chain."""
    with scope_everywhere(REASON):
        desk = sending_ground()
        open_chain(desk.author.here.uuid, now=timezone.now())
    opened = [
        psycopg.connect(database.url(role), autocommit=True) for role in ("sequencer", "signer")
    ]
    opened[1].execute("SELECT set_config('app.workspace_uuid', '*', false)")
    sequencer = Sequencer(opened[0], secret=SECRET, epoch_seconds=3600)
    return Sealed(desk, database, sequencer, opened[1], timezone.now(), opened)

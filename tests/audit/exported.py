"""What the tests of exports need: a workspace with a story, and a reader who has only a folder."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from audit.actions.exporting.bundle import Order, Written, write_bundle
from audit.actions.exporting.bundle import Site as Lent
from audit.actions.exporting.telling import Cover
from audit.actions.record import record
from audit.queries import places
from audit.rules.bundle import manifest_body
from audit.rules.clock import Reading
from audit.rules.events import Actor, Obj
from audit.rules.notes import public_key, sign
from audit.verifier import verify_evidence
from message_center.stack.product import ROOT
from tests.audit.make import INSTALL
from tests.audit.site import DOMAIN, SECRET, Site
from workspaces.models import Workspace

ORIGIN = f"{DOMAIN}/{INSTALL}"
EXPORT_KEY = Ed25519PrivateKey.from_private_bytes(b"e" * 32)
EXPORT_VKEY = str(public_key(f"{ORIGIN}/export", EXPORT_KEY))
ADMIN = Actor("user", "usr_6")
REASON = "Request 118-26 of the regulator"


@dataclass
class Exporter:
    """Exports from a site's log. `told` counts what was reported as done."""

    site: Site
    folder: Path
    secret: bytes = SECRET
    told: list[int] = field(default_factory=list)

    @property
    def lent(self) -> Lent:
        return Lent(
            url=self.site.log.ground.url("exporter", self.site.log.name),
            secret=self.secret,
            private=EXPORT_KEY,
            verifier=ROOT / "audit" / "verifier",
            formats=ROOT / "docs" / "FORMAT.md",
            fonts=ROOT / "audit" / "fonts",
            fallback=self.folder / "kept",
        )

    def number(self) -> None:
        """Number what waits, as of now, and sign what was fixed."""
        self.site.sequencer.step(Reading(timezone.now(), time.monotonic()))
        self.site.sign()

    def ask(self, ws: UUID) -> UUID:
        """Record that evidence is asked for, which forces an epoch, and return the event's id."""
        now = timezone.now()
        eid = record(
            "export.create",
            workspace=ws,
            actor=ADMIN,
            obj=Obj("export", "exp_1"),
            now=now,
            why=REASON,
        )
        self.number()
        return eid

    def export(
        self,
        ws: UUID,
        name: str = "bundle",
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        shows_values: bool = True,
        forced_by: UUID | None = None,
        waits_for_witness: bool = False,
    ) -> tuple[Path, Written]:
        """Export a workspace's evidence and return its folder."""
        forced = forced_by or self.ask(ws)
        order = Order(ws, since, until, forced, shows_values, waits_for_witness)
        target = self.folder / name
        with places.inside(ws) as place:
            cover = Cover(place.name, REASON, "Ada (usr_6)", "", timezone.now(), shows_values)
            return target, write_bundle(order, self.lent, target, cover, self.told.append)

    @property
    def trust(self) -> list[str]:
        """Return the words by which a reader names the keys that he got elsewhere."""
        return ["--trust", str(self.site.key), "--trust", EXPORT_VKEY]

    def held(self) -> Path:
        """Return a copy of the last checkpoint, as a reader keeps it."""
        path = self.folder / "kept.note"
        path.write_text(self.site.folder.read("held.note") or "", encoding="utf-8")
        return path

    def verify(self, bundle: Path, *words: str) -> "Judged":
        """Verify as a reader does: another process, the bundle's own copy, strictly."""
        return judge(bundle, *self.trust, "--max-gap", "7200", *words)


@dataclass(frozen=True)
class Judged:
    """What the verifier said."""

    exit: int
    level: str | None
    codes: set[str]
    facts: dict[str, Any]
    said: str


def judge(bundle: Path, *words: str) -> Judged:
    """Run the one-file verifier in a process that knows nothing of us."""
    file = str(Path(verify_evidence.__file__).resolve())
    kept = str(bundle.with_name(f"{bundle.name}.held"))
    command = [sys.executable, "-I", file, str(bundle), *words, "--keep", kept, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    said = json.loads(done.stdout) if done.stdout else {}
    assert done.returncode == said.get("exit"), done.stderr
    return Judged(
        said["exit"], said["level"], set(said["counts"]), said["facts"], str(said["findings"])
    )


def resealed(bundle: Path) -> None:
    """Sign a folder's files as they are now, as somebody who has the export key can."""
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    files = {
        path.relative_to(bundle).as_posix(): path.read_bytes()
        for path in bundle.rglob("*")
        if path.is_file() and path.name not in {"manifest.json", "manifest.note"}
    }
    manifest["files"] = [
        {"path": path, "sha256": sha256(data).hexdigest(), "size": len(data)}
        for path, data in sorted(files.items())
    ]
    raw = json.dumps(manifest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    body = manifest_body(f"{raw}\n".encode())
    (bundle / "manifest.json").write_text(f"{raw}\n")
    (bundle / "manifest.note").write_text(str(sign(body, f"{ORIGIN}/export", EXPORT_KEY)))


def personal(place: Workspace, value: str = "+447700900008", *, entry: str = "cmp_3") -> UUID:
    """Record that a number was seen, which commits to it."""
    return record(
        "number.reveal",
        workspace=place.uuid,
        actor=ADMIN,
        obj=Obj("campaign", entry),
        now=timezone.now(),
        personal={"msisdn": value},
        why="A subscriber complained.",
    )

"""The bundle that an honest exporter would hand over of a test's log, and what a reader says.

Written from the published format over the tables, so that notes and receipts of the real signer
and the real anchors reach the verifier.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.queries import chains
from audit.rules import hashes
from audit.rules.canonical import stamp
from audit.rules.chain import first_link
from audit.rules.epochs import Head
from audit.rules.notes import public_key
from audit.verifier import verify_evidence as verifier
from tests.audit.evidence.cases import Evidence
from tests.audit.evidence.installation import (
    EXPORT_KEY,
    Bundle,
    Entry,
)
from tests.audit.evidence.run import write
from tests.audit.make import INSTALL, MARKETING
from tests.audit.site import DOMAIN, SECRET, Site

ORIGIN = f"{DOMAIN}/{INSTALL}"
EXPORT_VKEY = str(public_key(f"{ORIGIN}/export", EXPORT_KEY))
SLOT = 1


def bundle(site: Site, files: Mapping[str, bytes] | None = None, note: str = "") -> Bundle:
    """Return Marketing's evidence up to the last epoch; `note` replaces its stored checkpoint."""
    epochs, heads = site.epochs(), _heads(site)
    last = heads[-1][SLOT].seq
    created = chains.heads(site.superuser)[SLOT].created
    genesis = first_link(INSTALL, MARKETING, SLOT, created).hash
    entries = chains.entries(site.superuser, MARKETING, after=0, until=last)
    return Bundle(
        manifest={
            "first_seq": 1,
            "genesis": stamp(created),
            "install": str(INSTALL),
            "mode": "full",
            "origin": ORIGIN,
            "slot": SLOT,
            "start_prev": genesis.hex(),
            "v": 1,
            "workspace": str(MARKETING),
        },
        epochs=[epoch.line() for epoch in epochs],
        heads=[_head_line(number, found) for number, found in enumerate(heads)],
        entries=[
            Entry(MARKETING, one.seq, stamp(one.at), one.body.encode(), one.prev, one.hash)
            for one in entries
        ],
        disclosures=[],
        checkpoint=note or site.notes()[-1] or "",
        files=dict(files or {}),
    )


def read(site: Site, folder: Path, *trust: str, **wishes: Any) -> verifier.Report:
    """Verify the evidence as a reader does who knows these keys of the log."""
    files, note = wishes.pop("files", None), wishes.pop("note", "")
    write(Evidence(bundle(site, files, note).seal()), folder)
    keys = tuple(verifier.read_key(key) for key in (*trust, EXPORT_VKEY))
    return verifier.verify(folder, verifier.Wishes(trust=keys)._replace(**wishes))


def _heads(site: Site) -> list[list[Head]]:
    """Return the heads that each epoch fixed, in slot order."""
    found: list[list[Head]] = [[] for _ in site.epochs()]
    for head in chains.heads(site.superuser):
        genesis = first_link(INSTALL, head.ws, head.slot, head.created).hash
        entries = chains.entries(site.superuser, head.ws, after=0)
        steps = [genesis, *(entry.hash for entry in entries)]
        lengths = dict(chains.lengths(site.superuser, head.slot))
        for epoch in range(min(lengths), len(found)):
            length = max(seq for number, seq in lengths.items() if number <= epoch)
            found[epoch].append(Head(head.slot, head.ws, length, steps[length]))
    return found


def _head_line(epoch: int, heads: list[Head]) -> dict[str, Any]:
    nonces = [hashes.nonce(SECRET, epoch, head.slot) for head in heads]
    leaves = [
        hashes.leaf_hash(hashes.head_text(head.slot, head.ws, head.seq, head.hash, nonce))
        for head, nonce in zip(heads, nonces, strict=True)
    ]
    return {
        "epoch": epoch,
        "hash": heads[SLOT].hash.hex(),
        "nonce": nonces[SLOT],
        "proof": [step.hex() for step in hashes.inclusion_proof(leaves, SLOT)],
        "seq": heads[SLOT].seq,
    }

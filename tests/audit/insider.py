"""A bundle as an insider hands it over: whatever stands in the database, checked by nobody."""

from pathlib import Path
from uuid import UUID

from audit.queries import chains
from audit.rules import hashes
from audit.rules.canonical import stamp
from audit.rules.chain import first_link
from audit.rules.epochs import Head, read_epoch
from audit.rules.events import event_bytes
from audit.rules.notes import public_key
from audit.verifier import verify_evidence as verifier
from tests.audit.evidence.cases import Evidence
from tests.audit.evidence.installation import EXPORT_KEY, Bundle, Entry
from tests.audit.evidence.run import verify
from tests.audit.make import INSTALL, MARKETING, ROAMING, happening, rows
from tests.audit.site import DOMAIN, SECRET, Site

ORIGIN = f"{DOMAIN}/{INSTALL}"


def bundle(site: Site, slot: int = 1) -> Bundle:
    """Return Marketing's bundle up to the last checkpoint, from the rows as they are."""
    heads = chains.heads(site.superuser)
    ours = heads[slot]
    genesis = first_link(INSTALL, ours.ws, ours.slot, ours.created)
    signed = rows(
        site.superuser, "SELECT body, note FROM audit_epoch WHERE note IS NOT NULL ORDER BY epoch"
    )
    fixed = [_heads(site, heads, number) for number in range(len(signed))]
    last = fixed[-1][slot].seq
    return Bundle(
        manifest={
            "first_seq": 1,
            "genesis": stamp(ours.created),
            "install": str(INSTALL),
            "mode": "full",
            "origin": ORIGIN,
            "slot": slot,
            "start_prev": genesis.hash.hex(),
            "v": 1,
            "workspace": str(ours.ws),
        },
        epochs=[body.encode() for body, _note in signed],
        heads=[_line(number, found, slot) for number, found in enumerate(fixed)],
        entries=[
            Entry(ours.ws, row.seq, stamp(row.at), row.body.encode(), row.prev, row.hash, row.leaf)
            for row in chains.entries(site.superuser, ours.ws, after=0, until=last)
        ],
        disclosures=[],
        checkpoint=signed[-1][1],
    )


def _heads(site: Site, heads: list[chains.StoredHead], number: int) -> list[Head]:
    """Return the heads of an epoch, by its lengths and the entries that stand there now."""
    found = []
    count = read_epoch(list(chains.epochs(site.superuser))[number].body.encode()).chains
    for head in heads[:count]:
        lengths = [
            seq for epoch, seq in chains.lengths(site.superuser, head.slot) if epoch <= number
        ]
        genesis = first_link(INSTALL, head.ws, head.slot, head.created)
        found.append(
            Head(head.slot, head.ws, lengths[-1], _hash(site, head.ws, lengths[-1], genesis.hash))
        )
    return found


def _hash(site: Site, ws: UUID, seq: int, genesis: bytes) -> bytes:
    query = "SELECT hash FROM audit_entry WHERE ws = %s AND seq = %s"
    found = rows(site.superuser, query, ws, seq)
    return found[0][0] if found else genesis


def _line(number: int, heads: list[Head], slot: int) -> dict[str, object]:
    nonces = [hashes.nonce(SECRET, number, head.slot) for head in heads]
    leaves = [
        hashes.leaf_hash(hashes.head_text(head.slot, head.ws, head.seq, head.hash, nonce))
        for head, nonce in zip(heads, nonces, strict=True)
    ]
    return {
        "epoch": number,
        "hash": heads[slot].hash.hex(),
        "nonce": nonces[slot],
        "proof": [step.hex() for step in hashes.inclusion_proof(leaves, slot)],
        "seq": heads[slot].seq,
    }


def judged(site: Site, folder: Path, *held: str) -> verifier.Report:
    """Let the verifier judge the insider's bundle; `held` are notes that a reader kept."""
    trust = (str(site.key), str(public_key(f"{ORIGIN}/export", EXPORT_KEY)))
    evidence = Evidence(
        files=bundle(site).seal(),
        trust=trust,
        held=tuple(note.encode() for note in held),
        ws=str(MARKETING),
    )
    return verify(evidence, folder)


def append_in_another_form(site: Site) -> None:
    """Whoever has the product's role can hand in JSON that is not canonical."""
    event = happening()
    body = event_bytes(event).replace(b'":', b'": ')
    site.runtime.execute(
        "SELECT audit_append(%s, %s, %s, %s)",
        [event.workspace, event.eid, hashes.leaf_hash(body), body.decode()],
    )


def append_another_workspaces(site: Site) -> None:
    """A superuser puts an event of Roaming into Marketing's queue."""
    body = event_bytes(happening(ROAMING))
    site.superuser.execute(
        "WITH new AS (INSERT INTO audit_event (ws, eid, leaf, body)"
        " VALUES (%s, gen_random_uuid(), %s, %s) RETURNING id)"
        " INSERT INTO audit_pending SELECT id FROM new",
        [MARKETING, hashes.leaf_hash(body), body.decode()],
    )

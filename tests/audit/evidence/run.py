"""Hands a case's files to the verifier."""

from pathlib import Path
from typing import Any

from audit.verifier import verify_evidence as verifier
from tests.audit.evidence.cases import Evidence


def write(evidence: Evidence, folder: Path) -> Path:
    """Write the files below a folder and return it."""
    for path, data in evidence.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    for path, leads_to in evidence.links.items():
        (folder / path).symlink_to(leads_to)
    return folder


def wishes(evidence: Evidence, folder: Path) -> verifier.Wishes:
    """Return what the reader brings along; held checkpoints are files beside the bundle."""
    held = []
    for number, note in enumerate(evidence.held):
        held.append(folder.with_name(f"{folder.name}-held-{number}.note"))
        held[-1].write_bytes(note)
    return verifier.Wishes(
        trust=tuple(map(verifier.read_key, evidence.trust)),
        witnesses=tuple(map(verifier.read_key, evidence.witness)),
        held=tuple(held),
        workspace=evidence.ws,
        period=(evidence.since, evidence.until),
        max_gap=evidence.max_gap,
        witness_count=evidence.need_witness,
        number=evidence.number,
        text=evidence.text,
    )


def typed(evidence: Evidence, folder: Path) -> list[str]:
    """Return the same as the words of a command that answers for programs."""
    wish = wishes(evidence, folder)
    said: list[tuple[str, object]] = [
        *(("--trust", one) for one in evidence.trust),
        *(("--witness", one) for one in evidence.witness),
        *(("--held", one) for one in wish.held),
        ("--ws", evidence.ws),
        ("--from", evidence.since),
        ("--to", evidence.until),
        ("--need-witness", evidence.need_witness),
        ("--number", evidence.number),
        ("--text", evidence.text),
    ]
    if evidence.max_gap is not None:
        said.append(("--max-gap", evidence.max_gap))
    return [str(folder), "--json", *(f"{name}={value}" for name, value in said)]


def verify(evidence: Evidence, folder: Path, **changes: Any) -> verifier.Report:
    """Write and verify."""
    write(evidence, folder)
    return verifier.verify(folder, wishes(evidence, folder)._replace(**changes))

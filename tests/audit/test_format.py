"""The public pages about the formats: what they show is what the code computes."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

from audit.rules import hashes
from audit.rules.canonical import decode_event
from audit.rules.epochs import Epoch, read_epoch
from audit.rules.notes import read_key, read_signed_checkpoint
from audit.rules.segments import line_salt, text_value
from audit.verifier import verify_evidence as verifier

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "FORMAT.md").read_text(encoding="utf-8")
BY_HAND = (ROOT / "audit" / "verifier" / "VERIFY.txt").read_text(encoding="utf-8")
SAMPLE = Path(__file__).parent / "evidence" / "sample"


def block(name: str) -> str:
    """Return the lines of a named example."""
    found = re.search(rf"```{name}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


SHOWN = dict(re.split(r"\s+", line, maxsplit=1) for line in block("vectors").splitlines())
WORKSPACE, SLOT = UUID(SHOWN["workspace"]), int(SHOWN["slot"])


def test_the_genesis_on_the_page_is_computed() -> None:
    found = hashes.genesis(UUID(SHOWN["installation"]), WORKSPACE, SLOT, SHOWN["created"])
    assert found.hex() == SHOWN["genesis"]


def test_the_event_on_the_page_is_canonical_and_has_its_leaf_and_entry() -> None:
    event = SHOWN["event"].encode()
    assert decode_event(event)["ws"] == str(WORKSPACE)
    leaf = hashes.leaf_hash(event)
    found = hashes.entry_hash(WORKSPACE, 1, SHOWN["at"], bytes.fromhex(SHOWN["genesis"]), leaf)
    assert (leaf.hex(), found.hex()) == (SHOWN["leaf"], SHOWN["entry"])


def test_the_head_on_the_page_has_its_leaf() -> None:
    seq, found = SHOWN["head"].split()
    text = hashes.head_text(SLOT, WORKSPACE, int(seq), bytes.fromhex(found), SHOWN["nonce"])
    assert hashes.leaf_hash(text).hex() == SHOWN["head-leaf"]


def test_the_epoch_on_the_page_is_written_so_and_has_its_leaf() -> None:
    epoch: Epoch = read_epoch(SHOWN["epoch"].encode())
    assert epoch.line() == SHOWN["epoch"].encode()
    assert epoch.leaf().hex() == SHOWN["epoch-leaf"]


def test_the_commitment_on_the_page_is_computed() -> None:
    field, value = SHOWN["personal"].split()
    found = hashes.commitment(bytes.fromhex(SHOWN["salt"]), field, value)
    assert found == SHOWN["commitment"]


def test_the_note_on_the_page_is_signed_with_the_keys_on_it() -> None:
    checkpoint = read_signed_checkpoint(block("vectors-note"), [read_key(SHOWN["log-key"])])
    assert checkpoint.root.hex() == SHOWN["epoch-leaf"]
    witness = verifier.read_key(SHOWN["witness-key"])
    assert verifier.who_signed(verifier.read_note(block("vectors-note").encode()), [witness])


def test_the_segment_on_the_page_has_its_lines_salts_and_path() -> None:
    rows = [re.split(r"\s+", line, maxsplit=1) for line in block("vectors-messages").splitlines()]
    shown = dict(rows)
    lines = [shown[f"line-{n}"].encode() for n in (1, 2, 3)]
    salt = line_salt(bytes.fromhex(shown["key"]), 2)
    said = verifier.read_outcome(lines[1])
    assert salt.hex() == shown["salt"]
    assert text_value("Hello, café\nYour balance is 10.") == shown["text-digest"]
    assert said["number"] == hashes.commitment(salt, "number", shown["number"])
    assert said["text"] == hashes.commitment(salt, "text", shown["text-digest"])
    leaves = [hashes.leaf_hash(line) for line in lines]
    path = [step.hex() for step in hashes.inclusion_proof(leaves, 1)]
    assert (leaves[1].hex(), path) == (shown["leaf-2"], shown["path-2"].split())
    assert hashes.tree_root(leaves).hex() == shown["root"]


def test_the_page_explains_every_code_and_no_other() -> None:
    assert set(re.findall(r"^\| ([A-Z]\d\d) \|", PAGE, re.MULTILINE)) == set(verifier.CHECKS)


# --- VERIFY.txt, as a person follows it


def step(beginning: str) -> str:
    """Return the indented command that follows these words, as one stands there."""
    rest = BY_HAND[BY_HAND.index(beginning) + len(beginning) :]
    lines = rest.split("\n\n", 2)[1].splitlines()
    return "\n".join(re.sub(r"   +\(.*\)$", "", line) for line in lines)


def shell(script: str, tmp_path: Path) -> str:
    """Run it in a copy of the sample."""
    bundle = tmp_path / "bundle"
    if not bundle.exists():
        shutil.copytree(SAMPLE / "bundle", bundle)
    script = script.replace("/tmp/", f"{tmp_path}/").replace("cd BUNDLE", ":")
    done = subprocess.run(
        ["/bin/bash", "-ec", script],
        cwd=bundle,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    return done.stdout


def test_the_manifest_is_checked_by_hand(tmp_path: Path) -> None:
    found = shell(step("of manifest.note is"), tmp_path).split()[0]
    assert found == (SAMPLE / "bundle" / "manifest.note").read_text().splitlines()[1]


def test_the_files_are_checked_by_hand(tmp_path: Path) -> None:
    said = shell(step("(with jq):"), tmp_path)
    assert said.count(": OK") == len(said.splitlines()) == 5


def test_an_entry_is_checked_by_hand(tmp_path: Path) -> None:
    script = step("closing brace:")
    leaf = shell(script[: script.index("printf 'smsc")], tmp_path).split()[0]
    assert leaf == SHOWN["leaf"]
    framed = script[script.index("printf 'smsc") :].split("\n")[0]
    facts = ("WS", "workspace"), ("AT", "at"), ("PREV", "genesis"), ("LEAF", "leaf"), ("SEQ", "")
    for word, name in facts:
        framed = framed.replace(f" {word}", f" {SHOWN.get(name, '1')}")
    assert shell(framed, tmp_path).split()[0] == SHOWN["entry"]


def test_the_signature_is_checked_by_hand(tmp_path: Path) -> None:
    key = (SAMPLE / "log.vkey").read_text().strip().split("+", 2)[2]
    line = (SAMPLE / "bundle" / "checkpoint.note").read_text().splitlines()[4]
    script = step("with the log's name):").replace(" KEY ", f" {key} ")
    assert "Verified" in shell(script.replace(" SIG ", f" {line.split()[-1]} "), tmp_path)

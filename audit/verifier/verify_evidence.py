"""Verify an evidence bundle of a message center's audit log, without that product and offline.

    python3 verify_evidence.py BUNDLE --trust VKEY --trust VKEY [--held FILE] [--witness VKEY]
    python3 verify_evidence.py MESSAGE --trust VKEY [--number +447700900123] [--text "Hello"]

A folder with message.json and without manifest.json is the evidence of one message.

One file for Python 3.8 or newer, standard library only, sharing no line with the product that wrote
the bundle. FORMAT.md specifies what is checked here; the codes of the findings are its codes.

Exit 0: nothing is wrong; 1: refused; 2: a person must judge the warnings. The answer always names
what it rests on. Level A: whole and signed, which says nothing against the operator himself. B: it
continues a checkpoint that the reader held before. C: independent witnesses or a time-stamping
authority saw it. Trust comes from outside the bundle only; nothing in the bundle is changed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

VERSION = "1"
MAX_EVENT = 65_536
MAX_LINE = 1 << 20
BLOCK = 1 << 18
LATE_SECONDS = 300
HEARTBEAT_SECONDS = 7_200
SHOWN_FINDINGS = 5
MICRO = 1_000_000

_HEX = "[0-9a-f]{64}"
_STAMP = "[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{6}Z"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TAIL = f'"prev":"({_HEX})","seq":([1-9][0-9]{{0,15}}),"ws":"({_UUID})"}}'
ENTRY_LINE = re.compile(
    f'{{"at":"({_STAMP})","ev":({{.*}}),"hash":"({_HEX})",{_TAIL}'.encode(), re.DOTALL
)
HIDDEN_LINE = re.compile(
    f'{{"at":"({_STAMP})","hash":"({_HEX})","leaf":"({_HEX})",{_TAIL}'.encode()
)
FALLBACK_LINE = re.compile(
    f'{{"ev":({{.*}}),"hash":"({_HEX})","n":([1-9][0-9]{{0,15}}),"prev":"({_HEX})"}}'.encode(),
    re.DOTALL,
)
# What most lines are; those of other characters than ASCII's, or with escapes, are read as JSON.
DISCLOSURE_LINE = re.compile(
    f'{{"field":"([a-z][a-z0-9_.]{{0,63}})","salt":"({_HEX})","seq":([1-9][0-9]{{0,14}}),'
    '"value":"([ !#-[\\]-~]*)"}'.encode()
)
HEX = re.compile(_HEX)
STAMP = re.compile(_STAMP)
UUID = re.compile(_UUID)
KEY = re.compile("[a-z][a-z0-9_.]{0,63}")
# Marks that change how text looks without being seen, or turn its direction.
DISGUISE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


# --- What was found -------------------------------------------------------------------------------


class Finding(NamedTuple):
    """A code, a sentence; `kind` is `failure`, `effect` (follows from a failure) or `warning`."""

    code: str
    kind: str
    sentence: str


TITLES = {"failure": "REFUSED", "effect": "follows from it", "warning": "to be judged"}
# What a chain shows as well that is not the one whose heads were fixed.
OF_ANOTHER_CHAIN = frozenset(("A01", "A03", "C06", "C13", "D01", "D03", "D04"))


class Stop(Exception):
    """What follows cannot be judged any more; the finding that says why is in the report."""


class Unreadable(ValueError):
    """Bytes that are not of their form, with a sentence."""


class Report:
    """What a verification found out; `facts` are what it counted."""

    def __init__(self) -> None:
        self.prefix = ""
        self.findings: list[Finding] = []
        self.counts: dict[str, int] = {}
        self.facts: dict[str, Any] = {}
        self.notes: list[str] = []
        self.level = ""
        self.grounds: list[str] = []
        self.checkpoint = b""

    def add(self, code: str, sentence: str, kind: str = "failure") -> None:
        """Add a finding; of many with one code only the first are kept, the rest are counted."""
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= SHOWN_FINDINGS:
            self.findings.append(Finding(code, kind, plain(self.prefix + sentence)))

    def test(self, code: str, *facts: Any, kind: str = "failure") -> bool:
        """Apply the check of that code to facts; return whether they pass."""
        sentence = CHECKS[code](*facts)
        if sentence:
            self.add(code, sentence, kind)
        return not sentence

    def explain(self, start: int, codes: frozenset[str]) -> None:
        """Call failures with these codes effects, from finding number `start` on."""
        for index, finding in enumerate(self.findings[start:], start):
            if finding.kind == "failure" and finding.code in codes:
                self.findings[index] = finding._replace(kind="effect")

    def close(self) -> None:
        """Put what explains the others first, and the warnings last."""
        self.findings.sort(key=lambda one: tuple(TITLES).index(one.kind))

    @property
    def exit_code(self) -> int:
        """Return 0, 1 (refused) or 2 (warnings that policy must judge)."""
        if any(finding.kind != "warning" for finding in self.findings):
            return 1
        return 2 if self.findings else 0


def plain(text: str) -> str:
    """Return text that cannot play tricks on a screen."""
    return "".join(
        c if c.isprintable() and not DISGUISE.match(c) else f"<{ord(c):04X}>" for c in text
    )


# --- The table of checks: a code, what it looks at, the sentence when it is not as it must be -----

CHECKS: dict[str, Callable[..., str]] = {}


def check(code: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Enter a check into the table. It returns "" or says in a sentence what is wrong."""

    def enter(function: Callable[..., str]) -> Callable[..., str]:
        CHECKS[code] = function
        return function

    return enter


@check("X00")
def _readable(problem: str) -> str:
    return problem and f"The bundle cannot be read as it must be: {problem}"


@check("M01")
def _manifest_form(raw: bytes, manifest: Any, problem: str) -> str:
    if problem:
        return f"manifest.json is not what a manifest is: {problem}"
    if canonical(manifest) + b"\n" != raw:
        return "manifest.json says the same in other bytes than the one form that is allowed."
    return ""


@check("M02")
def _listed_once(path: str, before: str) -> str:
    if path == before:
        return f"The manifest lists {path} twice."
    return f"The manifest lists {path} out of order." if path < before else ""


@check("M03")
def _listed(path: str, listed: set[str]) -> str:
    return (
        "" if path in listed else f"{path} lies in the bundle, but the manifest does not list it."
    )


@check("M04")
def _inside(path: str, is_link: bool) -> str:
    if is_link:
        return f"{path} is a link to somewhere else; it was not followed."
    parts = path.split("/")
    if not all(parts) or {".", ".."} & set(parts) or re.search(r"[\\:\x00-\x1f]", path):
        return f"The manifest lists {path}, which leads out of the bundle; it was not opened."
    return ""


@check("M05")
def _unchanged(path: str, size: int, digest: str, found: tuple[int, str] | None) -> str:
    if found is None:
        return f"{path} is listed in the manifest and is missing."
    if found != (size, digest):
        return f"{path} is not the file that the manifest lists: it was changed."
    return ""


@check("M06")
def _manifest_signed_text(body: bytes, raw: bytes) -> str:
    wanted = f"smsc-audit-manifest/v1\n{hashlib.sha256(raw).hexdigest()}\n".encode()
    return "" if body == wanted else "The signature in manifest.note is for another manifest.json."


@check("M07")
def _manifest_signature(problem: str, is_signed: bool, name: str) -> str:
    if problem:
        return f"The signature of the manifest does not hold: {problem}"
    return "" if is_signed else f"No key that you trust under the name {name} signed the manifest."


@check("M08")
def _workspace_asked_for(found: str, wanted: str) -> str:
    if not wanted or found == wanted:
        return ""
    return f"This is the evidence of workspace {found}, you asked for {wanted}."


@check("M09")
def _entry_count(announced: int, counted: int) -> str:
    if announced == counted:
        return ""
    return f"The manifest announces {announced} entries; {counted} could be read."


@check("K01")
def _checkpoint_form(what: str, problem: str) -> str:
    return problem and f"{what} was damaged or changed after it was signed: {problem}"


@check("K02")
def _checkpoint_signature(what: str, signers: Sequence[str]) -> str:
    return "" if signers else f"None of the keys that you trust signed {what}."


@check("K03")
def _checkpoint_origin(what: str, origin: str, wanted: str, signers: Sequence[str]) -> str:
    if origin != wanted:
        return f"{what} belongs to another log ({origin}), the manifest to {wanted}."
    return "" if origin in signers else f"{what} of {origin} was signed under other names only."


@check("K04")
def _quorum(count: int, needed: int) -> str:
    if count >= needed:
        return ""
    return f"{count} of the witnesses that you named signed the checkpoint; you demand {needed}."


@check("E01")
def _epoch_form(number: int, problem: str) -> str:
    return problem and f"The line of epoch {number} is not an epoch: {problem}"


@check("E02")
def _epoch_number(expected: int, found: int, is_end: bool) -> str:
    if expected == found:
        return ""
    if is_end:
        return f"The checkpoint covers {expected} epochs; epochs.jsonl holds {found}."
    return f"Epoch {expected} is missing: epoch {found} stands in its place."


@check("E03")
def _epoch_link(number: int, found: str, expected: str) -> str:
    return "" if found == expected else f"Epoch {number} does not follow the epoch before it."


@check("E04")
def _epoch_time(number: int, at: str, before: str) -> str:
    return (
        "" if at >= before else f"Epoch {number} says {at}, earlier than the one before: {before}."
    )


@check("E05")
def _heartbeat(number: int, seconds: int, allowed: int) -> str:
    if seconds <= allowed:
        return ""
    return (
        f"Before epoch {number} nothing was fixed for {seconds} seconds (allowed: {allowed}):"
        " the log stood still or epochs were left out."
    )


@check("E06")
def _chain_count(number: int, chains: int, before: int) -> str:
    if chains >= before:
        return ""
    return f"Epoch {number} knows {chains} chains, the one before {before}: a chain disappeared."


@check("E07")
def _signed_root(what: str, found: bytes, signed: bytes) -> str:
    if found == signed:
        return ""
    return f"The epochs are not those that {what} fixed: at least one of them was changed."


@check("H01")
def _held_form(path: str, problem: str) -> str:
    return problem and f"The checkpoint that you held ({path}) is not a valid one: {problem}"


@check("H02")
def _held_origin(path: str, origin: str, wanted: str) -> str:
    if origin == wanted:
        return ""
    return f"The checkpoint that you held ({path}) is of another log: {origin}."


@check("H03")
def _held_size(path: str, held: int, size: int) -> str:
    if held <= size:
        return ""
    return (
        f"You held a checkpoint over {held} epochs ({path}); this evidence ends after {size}:"
        " the newer part is kept from you."
    )


@check("H04")
def _held_root(path: str, size: int, held: bytes, found: bytes) -> str:
    if held == found:
        return ""
    return (
        f"The first {size} epochs are not those of the checkpoint that you held ({path}):"
        " the history was rewritten or there are two of them."
    )


@check("P01")
def _head_form(place: str, problem: str) -> str:
    return problem and f"{place}: {problem}"


@check("P02")
def _head_proof(number: int, found: bytes | None, signed: bytes) -> str:
    if found == signed:
        return ""
    return f"Epoch {number} did not fix this head for this workspace and slot: its proof fails."


@check("P03")
def _head_present(number: int, is_missing: bool) -> str:
    return f"The head that epoch {number} fixed for this chain is left out." if is_missing else ""


@check("A01")
def _reached(last: int, head: int, epoch: int, count: int) -> str:
    if not count:
        return ""
    return (
        f"Epoch {epoch} fixed entry {head}; the entries could be followed to number {last}:"
        f" {head - last} are missing or could not be judged."
    )


@check("A02")
def _same_head(seq: int, epoch: int, found: bytes, fixed: bytes) -> str:
    if found == fixed:
        return ""
    return (
        f"Up to entry {seq} the chain is not the one that epoch {epoch} fixed:"
        " something in it was changed, added or removed, and the hashes were computed again."
    )


@check("A03")
def _nothing_after(last: int, head: int) -> str:
    if last <= head:
        return ""
    return f"{last - head} entries stand after entry {head}, the last that an epoch fixed."


@check("A04")
def _heads_go_forward(before: Head, after: Head, is_rewritten: bool) -> str:
    if is_rewritten:
        return (
            f"Epoch {before.epoch} fixed another history than epoch {after.epoch}: the chain was"
            " rewritten between them, and the rewritten one was signed."
        )
    if after.seq < before.seq:
        return f"The chain went back from entry {before.seq} to {after.seq} in epoch {after.epoch}."
    if after.seq == before.seq and after.hash != before.hash:
        return f"Epochs {before.epoch} and {after.epoch} fixed different entries {after.seq}."
    return ""


@check("C01")
def _entry_form(place: str, problem: str) -> str:
    return problem and f"{place} {problem}"


@check("C02")
def _entry_workspace(place: str, found: bytes, wanted: bytes) -> str:
    return "" if found == wanted else f"{place} belongs to workspace {found.decode()}."


@check("C03")
def _entry_number(place: str, found: int, expected: int, parts: int = 1) -> str:
    if parts != 1:
        return "The compressed entries have a second part that was added: one is allowed."
    if found == expected:
        return ""
    return (
        f"{place}: number {expected} should stand here and {found} does: something is missing,"
        " was added or is out of order."
    )


@check("C04")
def _entry_link(place: str, found: bytes, expected: bytes) -> str:
    return "" if found == expected else f"{place} does not follow what stands before it."


@check("C05")
def _entry_hash(place: str, found: bytes, expected: bytes) -> str:
    return "" if found == expected else f"{place} was changed after it was recorded."


@check("C06")
def _entry_time(place: str, at: str, before: str) -> str:
    return (
        "" if at >= before else f"{place} was recorded at {at}, before the entry that precedes it."
    )


@check("C07")
def _event_bytes(place: str, problem: str) -> str:
    return problem and f"{place} is not in the one form that an event can have: {problem}"


@check("C08")
def _event_form(place: str, problem: str) -> str:
    return problem and f"{place}: {problem}"


@check("C09")
def _known_start(first: int, is_fixed: bool) -> str:
    if is_fixed:
        return ""
    return f"The evidence begins with entry {first}, and no epoch fixed what it claims to follow."


@check("C10")
def _genesis(place: str, found: bytes, genesis: bytes) -> str:
    if found == genesis:
        return ""
    return f"{place} is not the beginning that the workspace's creation date gives."


@check("C11")
def _event_once(first: int, second: int) -> str:
    return f"Entries {first} and {second} are the same event, recorded twice." if first else ""


@check("C12")
def _event_workspace(place: str, found: Any, wanted: str) -> str:
    return "" if found == wanted else f"{place} holds an event of another workspace ({found})."


@check("C13")
def _between_epochs(place: str, at: str, floor: str, ceiling: str) -> str:
    if at < floor:
        return f"{place} was recorded at {at}, before the epoch that came before it ({floor})."
    if at > ceiling:
        return f"{place} was recorded at {at}, after the epoch that fixed it ({ceiling})."
    return ""


@check("D01")
def _disclosed_value(place: str, field: str, found: str, committed: Any) -> str:
    if found == committed:
        return ""
    return f"{place}: the disclosed {field} is not the value that was recorded."


@check("D02")
def _withheld(place: str, field: str, is_withheld: bool) -> str:
    if not is_withheld:
        return ""
    return f"{place}: the value of {field} is withheld, and no entry records that it was erased."


@check("D03")
def _disclosure_belongs(place: str, problem: str) -> str:
    return problem and f"{place} {problem}"


@check("D04")
def _erased(place: str, field: str, is_shown: bool) -> str:
    return f"{place}: {field} is recorded as erased and is still disclosed." if is_shown else ""


@check("T01")
def _late(place: str, seconds: int) -> str:
    if seconds <= LATE_SECONDS:
        return ""
    return (
        f"{place}: the time that its host claimed and the time of its recording differ by"
        f" {seconds} seconds, and it was not ingested late."
    )


@check("T02")
def _outside_time(what: str, problem: str) -> str:
    return problem and f"{what} {problem}"


@check("V01")
def _covers_start(wanted: str, covered: str) -> str:
    if not covered or covered <= wanted:
        return ""
    return f"You asked for the time from {wanted}; the evidence is complete from {covered} only."


@check("V02")
def _covers_end(wanted: str, covered: str) -> str:
    if covered >= wanted:
        return ""
    return f"The time asked for reaches to {wanted}; the last epoch is of {covered or 'never'}."


@check("U01")
def _undisguised(place: str, mark: str) -> str:
    if not mark:
        return ""
    return f"{place} holds an invisible or direction-changing character (U+{ord(mark):04X})."


@check("F01")
def _fallback_chain(place: str, problem: str) -> str:
    return problem and f"{place} {problem}"


@check("F02")
def _fallback_recorded(path: str, is_named: bool) -> str:
    if is_named:
        return ""
    return f"No entry of this bundle names {path}: whether it was ingested cannot be seen here."


@check("S01")
def _message_form(problem: str) -> str:
    return problem and f"message.json is not the evidence of a message: {problem}"


@check("S02")
def _leads_to_head(place: str, found: bytes, fixed: bytes) -> str:
    return "" if found == fixed else f"{place} does not lead to the head that its epoch fixed."


@check("S03")
def _is_sealing(place: str, problem: str) -> str:
    return problem and f"{place} does not seal a segment: {problem}"


@check("S04")
def _line_form(place: str, problem: str) -> str:
    return problem and f"{place} is not a line of a segment: {problem}"


@check("S05")
def _line_sealed(place: str, found: bytes | None, sealed: bytes) -> str:
    if found == sealed:
        return ""
    return f"{place} is not in the segment that was sealed: it was changed, or is another's."


@check("S06")
def _same_message(place: str, found: Any, wanted: Any) -> str:
    return "" if found == wanted else f"{place} is of another message than the first line."


@check("S07")
def _presented(place: str, what: str, fits: bool) -> str:
    return "" if fits else f"{place}: the {what} that you gave is not the one that was recorded."


# --- Canonical JSON -------------------------------------------------------------------------------


def _no_float(text: str) -> Any:
    raise Unreadable(f"{text[:40]} is not a whole number.")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= 2**53:
        raise Unreadable(f"{text[:40]} is too large for a number.")
    return int(text)


_known_keys: set[str] = set()


def _keys_fit(value: dict[str, Any]) -> dict[str, Any]:
    """Check the keys of every object that is read; those seen before cost nothing."""
    if not value.keys() <= _known_keys:
        for key in value:
            if not KEY.fullmatch(key):
                raise Unreadable(f"{key[:80]!r} cannot be a key.")
        if len(_known_keys) < 10_000:
            _known_keys.update(value)
    return value


_decode = json.JSONDecoder(
    object_hook=_keys_fit, parse_float=_no_float, parse_int=_integer, parse_constant=_no_float
).raw_decode


def _encoder() -> Callable[[Any], str]:
    """Return the encoder of the canonical form, kept instead of made anew for every value."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
    quote = json.encoder.encode_basestring
    chunks = make(None, None, quote, None, ":", ",", True, False, False)
    return lambda value: "".join(chunks(value, 0))


_encode = _encoder()


def canonical(value: Any) -> bytes:
    """Return the one form of a value."""
    return _encode(value).encode("utf-8", "surrogatepass")


def utf8(data: bytes) -> str:
    """Return the text; raise Unreadable for other octets."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8.") from None


def read_canonical(data: bytes) -> Any:
    """Return what canonical JSON says; raise Unreadable for any other bytes."""
    text = utf8(data)
    try:
        value, _end = _decode(text)
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON.") from None
    if _encode(value) != text:
        raise Unreadable("the same could be written in another way.")
    # So few brackets cannot nest too deep.
    if text.count("{") + text.count("[") > 8 and _is_too_deep(value, 0):
        raise Unreadable("more than 8 containers surround a value.")
    if "\\u0000" in text and "\0" in "".join(_texts(value)):
        raise Unreadable("a text holds the character U+0000.")
    return value


def _is_too_deep(value: Any, depth: int) -> bool:
    if type(value) not in _CONTAINERS:
        return depth > 8
    inner = value.values() if type(value) is dict else value
    return depth > 8 or any(_is_too_deep(one, depth + 1) for one in inner)


_CONTAINERS = frozenset((dict, list))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif type(value) in _CONTAINERS:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


_days: dict[str, int] = {}


def moment(stamp: str) -> int:
    """Return a stamp's microseconds since 1970; raise Unreadable when there is no such time."""
    if not STAMP.fullmatch(stamp):
        raise Unreadable(f"{stamp[:40]} is not a time with six decimals and Z.")
    day = stamp[:10]
    if day not in _days:
        try:
            days = date(int(day[:4]), int(day[5:7]), int(day[8:])).toordinal() - 719_163
        except ValueError:
            raise Unreadable(f"{day} is not a day.") from None
        if len(_days) > 5_000:
            _days.clear()
        _days[day] = days
    seconds = (int(stamp[11:13]) * 60 + int(stamp[14:16])) * 60 + int(stamp[17:19])
    return (_days[day] * 86_400 + seconds) * MICRO + int(stamp[20:26])


def is_time(stamp: str) -> bool:
    """Say whether there is such a time."""
    try:
        moment(stamp)
    except Unreadable:
        return False
    return True


def is_count(value: Any) -> bool:
    """Say whether a value is a whole number from 0."""
    return type(value) is int and value >= 0


def is_version(value: Any) -> bool:
    """Say whether a value is the number 1; true is none."""
    return type(value) is int and value == 1


def is_hex(value: Any) -> bool:
    """Say whether a value is a hash in lower-case hexadecimal digits."""
    return isinstance(value, str) and bool(HEX.fullmatch(value))


def fields_of(line: bytes, *keys: str) -> dict[str, Any]:
    """Return the object in canonical bytes that has exactly these keys; raise Unreadable."""
    value = read_canonical(line)
    if not isinstance(value, dict) or sorted(value) != sorted(keys):
        raise Unreadable(f"it must have {', '.join(keys)} and nothing else.")
    return value


# --- Hashes and trees (RFC 6962) ------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    """Return SHA-256."""
    return hashlib.sha256(data).digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the leaf of an event, a head text or an epoch line."""
    return sha256(b"\0" + data)


def framed(*lines: object) -> bytes:
    """Return SHA-256 of lines that each end with a line feed."""
    return sha256("".join(f"{line}\n" for line in lines).encode())


def tree_root(peaks: Sequence[tuple[int, bytes]]) -> bytes:
    """Return the root over full subtrees, largest first."""
    if not peaks:
        return sha256(b"")
    root = peaks[-1][1]
    for _size, peak in reversed(peaks[:-1]):
        root = sha256(b"\1" + peak + root)
    return root


def grow(peaks: list[tuple[int, bytes]], leaf: bytes) -> None:
    """Add a leaf to full subtrees."""
    size = 1
    while peaks and peaks[-1][0] == size:
        leaf = sha256(b"\1" + peaks.pop()[1] + leaf)
        size *= 2
    peaks.append((size, leaf))


def proved_root(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Return the root that a path leads to, or None when its length does not fit its place."""
    path = iter(proof)
    while size > 1:
        is_right = index % 2 == 1
        if is_right or index + 1 < size:
            other = next(path, None)
            if other is None:
                return None
            leaf = sha256(b"\1" + other + leaf if is_right else b"\1" + leaf + other)
        index, size = index // 2, (size + 1) // 2
    return leaf if next(path, None) is None else None


# --- Ed25519 (RFC 8032), verification only --------------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)


def _add(one: tuple[int, ...], two: tuple[int, ...]) -> tuple[int, ...]:
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = two
    a = (y1 - x1) * (y2 - x2) % _P
    b = (y1 + x1) * (y2 + x2) % _P
    c = 2 * t1 * t2 * _D % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _point(data: bytes) -> tuple[int, ...]:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT % _P
    if y >= _P or x * x % _P != square or (x == 0 and sign):
        raise Unreadable("a public key is not a point of the curve.")
    if x % 2 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


@lru_cache(maxsize=32)
def _multiples(data: bytes) -> list[list[tuple[int, ...]]]:
    """Return 16 multiples of a point for each of the 64 hexadecimal digits of a scalar."""
    point, rows = _point(data), []
    for _digit in range(64):
        row: list[tuple[int, ...]] = [(0, 1, 1, 0)]
        for _step in range(15):
            row.append(_add(row[-1], point))
        rows.append(row)
        point = _add(row[-1], point)
    return rows


def _times(rows: list[list[tuple[int, ...]]], scalar: int) -> tuple[int, ...]:
    total: tuple[int, ...] = (0, 1, 1, 0)
    for row in rows:
        total = _add(total, row[scalar & 15])
        scalar >>= 4
    return total


_BASE = (4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little")


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether an Ed25519 signature of 64 bytes holds."""
    scalar = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or scalar >= _L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    x, y, z, t = _times(_multiples(public), int.from_bytes(digest, "little") % _L)
    x, y, z, _t = _add(_times(_multiples(_BASE), scalar), (-x, y, z, -t))
    inverse = pow(z, _P - 2, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# --- Keys, notes, checkpoints (C2SP) --------------------------------------------------------------

ED25519, COSIGNATURE = 1, 4


class Key(NamedTuple):
    """A verifier key that the reader brought along; `algorithm` 4 is a witness."""

    name: str
    algorithm: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that mark its signatures."""
        material = bytes([self.algorithm]) + self.public
        return sha256(self.name.encode() + b"\n" + material)[:4]


class Note(NamedTuple):
    """A text and (name, key id, signature) of who signed it; `raw` is the whole note."""

    raw: bytes
    body: bytes
    lines: tuple[tuple[str, bytes, bytes], ...]


class Checkpoint(NamedTuple):
    """What three lines of text say: this log had `size` epochs with this root."""

    origin: str
    size: int
    root: bytes


def from_base64(text: str) -> bytes:
    """Return the bytes; raise Unreadable unless the text is their one base64 form."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if base64.b64encode(data).decode() != text:
        raise Unreadable(f"{text[:100]} is not base64.")
    return data


def read_key(text: str) -> Key:
    """Read `name+id+base64`; raise Unreadable."""
    name, _plus, rest = text.strip().partition("+")
    key_id, _plus, encoded = rest.partition("+")
    material = from_base64(encoded)
    if len(material) != 33 or material[0] not in (ED25519, COSIGNATURE) or " " in name:
        raise Unreadable(f"{text[:200]!r} is not a verifier key.")
    key = Key(name, material[0], material[1:])
    if key.key_id.hex() != key_id:
        raise Unreadable(f"The verifier key of {name} does not match its own id: a typing mistake?")
    return key


def read_note(raw: bytes) -> Note:
    """Take a note apart, signed or not; raise Unreadable."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8 text.") from None
    body, gap, tail = text.rpartition("\n\n")
    if not gap:
        return Note(raw, text.encode(), ())
    lines = []
    for line in tail.splitlines(keepends=True):
        match = re.fullmatch("\u2014 ([^\\s+]+) ([A-Za-z0-9+/=]+)\n", line)
        if not match:
            raise Unreadable("below the empty line stands something else than signatures.")
        data = from_base64(match[2])
        lines.append((match[1], data[:4], data[4:]))
    return Note(raw, f"{body}\n".encode(), tuple(lines))


def read_checkpoint(note: Note) -> Checkpoint:
    """Read the three lines of a checkpoint; raise Unreadable for anything else."""
    match = re.fullmatch("([^\n]+)\n(0|[1-9][0-9]{0,15})\n([^\n]+)\n", note.body.decode())
    if not match or len(from_base64(match[3])) != 32:
        raise Unreadable("a checkpoint has exactly three lines: log, number of epochs, root.")
    return Checkpoint(match[1], int(match[2]), from_base64(match[3]))


def who_signed(note: Note, keys: Iterable[Key]) -> list[tuple[Key, int]]:
    """Return the known keys that signed, a witness with its time in seconds since 1970.

    Lines of unknown keys are ignored; raises Unreadable when a known key's signature fails.
    """
    known = {(key.name, key.key_id): key for key in keys}
    signed = []
    for name, key_id, data in note.lines:
        key = known.get((name, key_id))
        if key is None:
            continue
        at, body, signature = 0, note.body, data
        if key.algorithm == COSIGNATURE:
            at, signature = int.from_bytes(data[:8], "big"), data[8:]
            body = f"cosignature/v1\ntime {at}\n".encode() + body
        if not is_signed(key.public, body, signature):
            raise Unreadable(f"the signature of {name} does not fit the text.")
        signed.append((key, at))
    return signed


# --- RFC 3161 time stamps -------------------------------------------------------------------------


class TimeStamp(NamedTuple):
    """What a time-stamping authority attested: a SHA-256 digest and when, in seconds since 1970."""

    digest: bytes
    at: int


def der(data: bytes) -> list[tuple[int, bytes]]:
    """Return the tags and contents of consecutive DER elements; raise Unreadable."""
    elements, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise Unreadable("its DER is cut short.")
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        if at + size > len(data):
            raise Unreadable("its DER is cut short.")
        elements.append((tag, data[at : at + size]))
        at += size
    return elements


_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TIME_INFO = bytes.fromhex("2a864886f70d0109100104")
_SHA256 = bytes.fromhex("608648016503040201")


def read_time_stamp(data: bytes) -> TimeStamp:
    """Read a TimeStampResp (RFC 3161); raise Unreadable. The signature is not looked at."""
    try:
        status, token = der(der(data)[0][1])[:2]
        if der(status[1])[0][1] not in (b"\0", b"\1"):
            raise Unreadable("was not granted.")
        kind, wrapped = der(token[1])[:2]
        content = der(der(der(wrapped[1])[0][1])[2][1])
        info = der(der(der(content[1][1])[0][1])[0][1])
        algorithm, imprint = der(info[2][1])[:2]
        at = re.match(rb"(\d{14})(?:[.]\d+)?Z", info[4][1])
        if (kind[1], content[0][1], der(algorithm[1])[0][1]) != (_SIGNED_DATA, _TIME_INFO, _SHA256):
            raise Unreadable("is not a time stamp over a SHA-256 digest.")
        if not at:
            raise Unreadable("names no time.")
        stamp = datetime.strptime(at[1].decode() + "+0000", "%Y%m%d%H%M%S%z")
    except (IndexError, ValueError) as broken:
        if isinstance(broken, Unreadable):
            raise
        raise Unreadable("is not a time stamp (RFC 3161).") from None
    return TimeStamp(imprint[1], int(stamp.timestamp()))


CONFIRMED, UNCHECKED, STRANGER, WRONG = "confirmed", "unchecked", "stranger", "wrong"
# What openssl says of a certificate that does not come from the authority that the reader named.
_STRANGER = re.compile(
    "issuer certificate|self.signed certificate|first certificate|certificate signature failure"
)


def openssl_says(path: Path, stamp: TimeStamp, authority: Path) -> str:
    """Let openssl verify the signature under the authority's certificate, as of the stamp's time.

    A certificate ends after a few years, and what it stamped before that stays stamped.
    """
    openssl = shutil.which("openssl")
    if not openssl:
        return UNCHECKED
    words = [openssl, "ts", "-verify", "-in", str(path), "-digest", stamp.digest.hex()]
    words += ["-CAfile", str(authority)]
    try:
        done = _run([*words, "-attime", str(stamp.at)])
        if done.returncode and "attime" in done.stderr:
            # A version of openssl that knows no such word.
            done = _run(words)
    except OSError:
        return UNCHECKED
    if not done.returncode:
        return CONFIRMED
    return STRANGER if _STRANGER.search(done.stderr) else WRONG


def _run(words: Sequence[str]) -> Any:
    return subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)


# --- The bundle's files ---------------------------------------------------------------------------

MANIFEST_KEYS = {"entries", "files", "first_seq", "genesis", "install", "mode", "origin", "slot"}
MANIFEST_KEYS |= {"start_prev", "v", "workspace"}


class Files:
    """The files below a folder. Links are seen and never followed; nothing is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: dict[str, Path] = {}
        self.links: list[str] = []
        left = [(folder, "")]
        while left:
            self._look(*left.pop(), left)

    def _look(self, folder: Path, prefix: str, left: list[tuple[Path, str]]) -> None:
        for path in sorted(folder.iterdir()):
            name = prefix + path.name
            if path.is_symlink():
                self.links.append(name)
            elif path.is_dir():
                left.append((path, f"{name}/"))
            else:
                self.paths[name] = path

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes in blocks; raise Stop-worthy Unreadable when it cannot be read."""
        if name not in self.paths or not self.paths[name].is_file():
            raise Unreadable(f"{name} is missing.")
        try:
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(str(self.paths[name]), flags), "rb") as file:
                while True:
                    block = file.read(BLOCK)
                    if not block:
                        return
                    yield block
        except OSError as problem:
            raise Unreadable(f"{name}: {problem.strerror}.") from None

    def read(self, name: str) -> bytes:
        """Return a small file's bytes."""
        return b"".join(self.blocks(name))

    def digest(self, name: str) -> tuple[int, str] | None:
        """Return size and SHA-256 of a file, or None when it is not there."""
        if name not in self.paths or not self.paths[name].is_file():
            return None
        size, hasher = 0, hashlib.sha256()
        for block in self.blocks(name):
            size += len(block)
            hasher.update(block)
        return size, hasher.hexdigest()

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield lines without their line feed; raise Unreadable when the last one has none."""
        return split_lines(self.blocks(name), name)

    def under(self, folder: str, ending: str) -> list[str]:
        """Return the files of a folder with this ending, in order."""
        return sorted(n for n in self.paths if n.startswith(f"{folder}/") and n.endswith(ending))


def split_lines(blocks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Yield the lines of blocks; the form of version 1 ends every line with a line feed."""
    rest = b""
    for block in blocks:
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_LINE:
            raise Unreadable(f"{name} holds a line of more than {MAX_LINE} bytes.")
        yield from lines
    if rest:
        yield rest + b"\0 (the line does not end)"


class Inflater:
    """Decompresses one gzip member; what follows it is read as well and remembered as too much."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.member_count = 1
        self.head = b""

    @property
    def problem(self) -> str:
        """Say what of the head is not of the one form: no flags, so no name, and no time."""
        if self.head[3:] == bytes(5):
            return ""
        return f"{self.name} has a name, a time or more in its head."

    def blocks(self, compressed: Iterable[bytes]) -> Iterator[bytes]:
        """Yield decompressed blocks; raise Unreadable for damage."""
        inflate = zlib.decompressobj(31)
        try:
            for block in compressed:
                self.head = self.head or block[:8]
                pending = block
                while pending:
                    if inflate.eof:
                        self.member_count += 1
                        inflate = zlib.decompressobj(31)
                    yield inflate.decompress(pending, BLOCK)
                    pending = inflate.unconsumed_tail or inflate.unused_data
            yield inflate.flush()
        except zlib.error:
            raise Unreadable(f"{self.name} is not intact gzip.") from None
        if not inflate.eof:
            raise Unreadable(f"{self.name} is cut short.")


class Manifest(NamedTuple):
    """What the bundle says it is."""

    install: str
    origin: str
    workspace: str
    slot: int
    created: str
    is_whole: bool
    first_seq: int
    start: str
    entry_count: int
    period: tuple[str, str]
    files: tuple[tuple[str, int, str], ...]

    @property
    def genesis(self) -> bytes:
        """Return what the chain's first entry follows."""
        parts = (self.install, self.workspace, self.slot, self.created)
        return framed("smsc-audit-genesis/v1", *parts)


def read_manifest(value: Any) -> Manifest:
    """Take the manifest's values; raise Unreadable when one is missing or of another kind."""
    if not isinstance(value, dict) or set(value) - {"from", "to"} != MANIFEST_KEYS:
        raise Unreadable("its keys are not those of a manifest of version 1.")
    counts, texts = ("entries", "first_seq", "slot"), ("genesis", "install", "origin", "workspace")
    if not all(is_count(value[key]) for key in counts) or value["first_seq"] == 0:
        raise Unreadable("its counts are not whole numbers.")
    if not all(isinstance(value[key], str) for key in texts) or not is_hex(value["start_prev"]):
        raise Unreadable("its names and hashes are not of their form.")
    if not is_version(value["v"]) or value["mode"] not in ("full", "skeleton"):
        raise Unreadable("it is of another version or of an unknown mode.")
    moment(value["genesis"])
    if not UUID.fullmatch(value["install"]) or not UUID.fullmatch(value["workspace"]):
        raise Unreadable("its installation or its workspace is not a UUID.")
    if not is_origin(value["origin"], value["install"]):
        raise Unreadable("its origin is the name of another installation's log.")
    return Manifest(
        install=value["install"],
        origin=value["origin"],
        workspace=value["workspace"],
        slot=value["slot"],
        created=value["genesis"],
        is_whole=value["mode"] == "full",
        first_seq=value["first_seq"],
        start=value["start_prev"],
        entry_count=value["entries"],
        period=(read_time(value.get("from", "")), read_time(value.get("to", ""), is_end=True)),
        files=tuple(_listed_file(file) for file in _list(value["files"])),
    )


def is_origin(name: str, install: str) -> bool:
    """Say whether a log's name ends, as it must, with its installation."""
    return name.endswith(f"/{install}")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Unreadable("a list is not a list.")
    return value


def _listed_file(value: Any) -> tuple[str, int, str]:
    if not isinstance(value, dict) or sorted(value) != ["path", "sha256", "size"]:
        raise Unreadable("a listed file has path, sha256 and size.")
    path, size, digest = value["path"], value["size"], value["sha256"]
    if not isinstance(path, str) or not is_count(size) or not is_hex(digest):
        raise Unreadable("a listed file's path, size or digest is not of its form.")
    return path, size, digest


def read_time(text: Any, *, is_end: bool = False) -> str:
    """Return a stamp for a date (as an end, the end of that day) or a time; UTC unless it says."""
    if text == "":
        return ""
    zone = timezone.utc  # noqa: UP017  (datetime.UTC is newer than 3.8)
    try:
        at = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        if len(str(text)) == 10 and is_end:
            at += timedelta(days=1)
        at = at.astimezone(zone) if at.tzinfo else at.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        raise Unreadable(f"{str(text)[:40]} is not a date or a time.") from None
    return at.isoformat(timespec="microseconds")[:26] + "Z"


# --- Events ---------------------------------------------------------------------------------------


class Event(NamedTuple):
    """What is looked at of an event. `problem` says what it lacks: without one, op, eid and t are
    texts of their form. `mark` is a character that disguises; `removing` is the whole event when it
    erased or pruned, else empty.
    """

    op: Any
    eid: Any
    ws: Any
    t: Any
    committed: dict[str, Any]
    is_late: bool
    removing: dict[str, Any]
    problem: str = ""
    mark: str = ""


class Shape(NamedTuple):
    """What events have in common that differ in their values only.

    The expression matches events in the one form alone that lack nothing. Its groups are eid, the
    commitments of `fields`, t and ws.
    """

    expression: re.Pattern[str]
    op: str
    fields: tuple[str, ...]
    is_late: bool


class Shapes:
    """The shapes that were seen, by what tells most of them apart at a glance.

    Reading JSON and writing it again costs five times what one expression does, and the events of
    a log have few shapes: the first of each is judged whole, those after it by its expression.
    """

    # An expression takes some 6 KB, 8 bytes a character; a bundle made for it wastes no more than
    # this. Those that fail read a long text as well, and are few for that.
    MOST_ALIKE, LONGEST, ROOM = 4, 4_096, 1_000_000

    def __init__(self) -> None:
        self.kinds: dict[tuple[str, int], list[Shape]] = {}
        self.room = self.ROOM

    def event(self, text: str) -> Event | None:
        """Return an event of a known shape, None when it must be judged whole."""
        for shape in self.kinds.get(self._kind(text), ()):
            match = shape.expression.fullmatch(text)
            if match is not None:
                eid, *commitments, t, ws = match.groups()
                if t[:10] not in _days and not is_time(t):
                    return None
                committed = dict(zip(shape.fields, commitments))  # noqa: B905  (Python 3.8)
                return Event(shape.op, eid, ws, t, committed, shape.is_late, {})
        return None

    def learn(self, text: str, value: dict[str, Any]) -> None:
        """Remember the shape of an event that lacks nothing, as long as there is room."""
        kind = self._kind(text)
        alike = self.kinds.get(kind, [])
        if self.room <= 0 or len(text) > self.LONGEST or len(alike) == self.MOST_ALIKE:
            return
        expression, fields = _alike(value, is_event=True), tuple(value.get("pd", {}))
        self.room -= len(expression)
        shape = Shape(re.compile(expression), value["op"], fields, "src" in value)
        self.kinds[kind] = [*alike, shape]

    def _kind(self, text: str) -> tuple[str, int]:
        named = _OP.search(text)
        return (named[0] if named else "", text.count('"') - text.count('\\"'))


_shapes = Shapes()


def judge_event(data: bytes) -> Event:
    """Return an event; raise Unreadable unless it is in the one form that it can have."""
    if len(data) > MAX_EVENT:
        raise Unreadable("it is longer than 64 KB.")
    text = utf8(data)
    mark = None if text.isascii() else DISGUISE.search(text)
    known = None if mark else _shapes.event(text)
    return known or _of_new_shape(text, data, mark[0] if mark else "")


def _of_new_shape(text: str, data: bytes, mark: str) -> Event:
    value = read_event(data)
    problem = event_problem(value)
    op, committed = value.get("op"), value.get("pd")
    # What was only tried removed nothing.
    removes = op in REMOVING and value.get("res", "ok") == "ok"
    if not problem and not mark and op not in REMOVING:
        _shapes.learn(text, value)
    return Event(
        op=op,
        eid=value.get("eid"),
        ws=value.get("ws"),
        t=value.get("t"),
        committed=committed if isinstance(committed, dict) else {},
        is_late="src" in value,
        removing=value if removes else {},
        problem=problem,
        mark=mark,
    )


REMOVING = ("pd.erase", "retention.prune")


def _alike(value: Any, *, is_event: bool = False) -> str:
    """Return the expression for the canonical form of what has other texts and numbers only."""
    if isinstance(value, dict):
        parts = (
            f'"{re.escape(key)}":' + ((is_event and _fixed(key, one)) or _alike(one))
            for key, one in value.items()
        )
        return r"\{" + ",".join(parts) + r"\}"
    if isinstance(value, list):
        return r"\[" + ",".join(map(_alike, value)) + r"\]"
    if isinstance(value, str):
        return _TEXT
    return _NUMBER if type(value) is int else _encode(value)


def _fixed(key: str, value: Any) -> str:
    """Return the expression for a value that means something to the verifier, "" for others."""
    if key in ("op", "v"):
        return re.escape(_encode(value))
    if key == "pd":
        parts = (f'"{re.escape(field)}":"({_HEX})"' for field in value)
        return r"\{" + ",".join(parts) + r"\}"
    return _GROUPS.get(key, "")


# Rarer escapes, and numbers of 16 digits, are left to the judgement of the whole event.
_PLAIN = '[^"\\\\\x00-\x1f]*'
_TEXT = f'"{_PLAIN}(?:\\\\["\\\\bfnrt]{_PLAIN})*"'
_NUMBER = "(?:0|-?[1-9][0-9]{0,14})"
_UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_GROUPS = {"eid": f'"({_UUID4})"', "t": f'"({_STAMP})"', "ws": f'"({_UUID})"'}
_OP = re.compile('"op":"[a-z0-9_.]+"')


def read_event(data: bytes) -> dict[str, Any]:
    """Return an event's values; raise Unreadable unless it is in the one form."""
    value = read_canonical(data)
    if not isinstance(value, dict):
        raise Unreadable("it is not an object.")
    return value


def event_problem(event: dict[str, Any]) -> str:
    """Say what an event lacks, or ""."""
    version, committed = event.get("v"), event.get("pd", {})
    if not is_version(version):
        return f"the event claims version {str(version)[:20]}; there is only version 1."
    if not isinstance(committed, dict) or not all(map(is_hex, committed.values())):
        return "its pd is not fields with commitments."
    get = event.get
    if not _REQUIRED.fullmatch(f"{get('ws')}\n{get('eid')}\n{get('op')}\n{get('t')}"):
        return "its ws, eid, op or t is missing or not of its form."
    try:
        if event["t"][:10] not in _days:
            moment(event["t"])
    except Unreadable as problem:
        return f"the event's time: {problem}"
    return ""


_REQUIRED = re.compile(f"{_UUID}\n{_UUID4}\n[a-z][a-z0-9_]*(?:[.][a-z][a-z0-9_]*)+\n{_STAMP}")


# --- Chains ---------------------------------------------------------------------------------------


class Epochs:
    """What the epoch log fixed: times, number of chains, roots of heads, and roots of the log."""

    def __init__(self) -> None:
        self.at: list[str] = []
        self.chains = array("Q")
        self.heads: list[bytes] = []
        self.roots: dict[int, bytes] = {}

    @property
    def size(self) -> int:
        """Return how many epochs there are."""
        return len(self.at)


class Head(NamedTuple):
    """Where an epoch says that a chain stood."""

    epoch: int
    seq: int
    hash: bytes


class Chain(NamedTuple):
    """Which chain is followed, and in which files it is."""

    slot: int
    workspace: str
    start: bytes
    claimed_start: bytes
    first_seq: int
    genesis: bytes
    may_hide: bool
    entries: str
    heads: str


class Disclosures:
    """The disclosed values, in the order of the entries, one entry's values at a time."""

    def __init__(self, report: Report, files: Files) -> None:
        self.report = report
        self.name = "disclosures.jsonl"
        self.is_there = self.name in files.paths
        self.files = files
        self.lines = self._sorted() if self.is_there else iter(())
        self.next: dict[str, Any] | None = None
        self.read_count = 0
        self._step()

    def _sorted(self) -> Iterator[bytes]:
        """Yield the lines by entry; only a file in another order is held in memory."""
        before = 0
        for line in self.files.lines(self.name):
            seq = _seq_of(line)
            if seq < before:
                return iter(sorted(self.files.lines(self.name), key=_seq_of))
            before = seq
        return self.files.lines(self.name)

    def _step(self) -> None:
        self.next = None
        for line in self.lines:
            self.read_count += 1
            try:
                self.next = read_disclosure(line)
            except Unreadable as problem:
                place = f"Line {self.read_count} of {self.name}"
                self.report.test("D03", place, f"is not a disclosed value: {problem}")
                continue
            return

    def of(self, seq: int) -> dict[str, dict[str, Any]]:
        """Return field -> disclosed value of an entry; report those of entries left behind."""
        found: dict[str, dict[str, Any]] = {}
        while self.next is not None and self.next["seq"] <= seq:
            if self.next["seq"] < seq or self.next["field"] in found:
                self._stray(self.next)
            else:
                found[self.next["field"]] = self.next
            self._step()
        return found

    def _stray(self, line: dict[str, Any], kind: str = "failure") -> None:
        place = f"The disclosed {line['field']} of entry {line['seq']}"
        self.report.test("D03", place, "belongs to no value that such an entry holds.", kind=kind)

    def finish(self, *, is_effect: bool) -> None:
        """Report what belongs to no entry at all."""
        while self.next is not None:
            self._stray(self.next, "effect" if is_effect else "failure")
            self._step()


def _seq_of(line: bytes) -> int:
    match = re.search(rb'"seq":([0-9]{1,16}),"value"', line)
    return int(match[1]) if match else 0


def read_disclosure(line: bytes) -> dict[str, Any]:
    """Return field, salt, seq and value of a line; raise Unreadable."""
    match = DISCLOSURE_LINE.fullmatch(line)
    if match is not None:
        field, salt, seq, text = (part.decode() for part in match.groups())
        return {"field": field, "salt": salt, "seq": int(seq), "value": text}
    value = fields_of(line, "field", "salt", "seq", "value")
    if not is_hex(value["salt"]) or not is_count(value["seq"]):
        raise Unreadable("salt or number are not of their form.")
    if not isinstance(value["field"], str) or not isinstance(value["value"], str):
        raise Unreadable("field and value are texts.")
    return value


def commitment(line: dict[str, Any]) -> str:
    """Return what an entry must have committed to for this disclosed value."""
    text = f"smsc-audit-pd/v1\n{line['field']}\n{line['value']}".encode("utf-8", "surrogatepass")
    return hmac.digest(bytes.fromhex(line["salt"]), text, "sha256").hex()


# Later than every stamp.
_NO_CEILING = "~"


class Seen:
    """64 bits of every event's id in 256 buckets: 16 bytes an entry, none is forgotten."""

    def __init__(self) -> None:
        self.ids = [array("Q") for _ in range(256)]
        self.seqs = [array("Q") for _ in range(256)]

    def add(self, eid: str, seq: int) -> None:
        """Remember an event's id: its first 32 bits and its last."""
        bits = int(eid[:8] + eid[-8:], 16)
        self.ids[bits >> 56].append(bits)
        self.seqs[bits >> 56].append(seq)

    def twice(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of numbers that hold the same event."""
        for ids, seqs in zip(self.ids, self.seqs):  # noqa: B905  (Python 3.8)
            first: dict[int, int] = {}
            for index, eid in enumerate(ids):
                if eid in first:
                    yield first[eid], seqs[index]
                else:
                    first[eid] = seqs[index]


class Walk:
    """Follows one chain from its start to its end and compares it with the heads of the epochs."""

    def __init__(self, report: Report, chain: Chain, epochs: Epochs, heads: Sequence[Head]) -> None:
        self.report, self.chain, self.epochs, self.heads = report, chain, epochs, heads
        self.first_finding = len(report.findings)
        self.ws = chain.workspace.encode()
        self.seq, self.hash, self.at = chain.first_seq - 1, chain.start.hex().encode(), ""
        self.count, self.is_stopped = 0, False
        self.place = ""
        self.next_head, self.floor, self.ceiling = 0, "", _NO_CEILING
        self.matched: list[Head] = []
        self.wrong: list[Head] = []
        self.seen = Seen()
        self.disclosures: Disclosures | None = None
        self.withheld: set[tuple[int, str]] = set()
        self.erased: set[tuple[int, str]] = set()
        self.ops: dict[str, int] = {}
        self.digests: dict[bytes, bool] = {}
        self.hidden = array("Q")
        self.pruned_to = 0
        self.first_at = ""

    def begin(self) -> None:
        """Compare the start with the heads that were fixed before the first entry."""
        if self.heads and self.heads[0].epoch:
            self.floor = self.epochs.at[self.heads[0].epoch - 1]
        if self.chain.first_seq > 1:
            fixed = any(
                (head.seq, head.hash) == (self.seq, self.chain.start) for head in self.heads
            )
            self.report.test("C09", self.chain.first_seq, fixed)
        self._look_ahead()
        while self.next_head < len(self.heads) and self.heads[self.next_head].seq <= self.seq:
            self._empty_head(self.heads[self.next_head])

    def _empty_head(self, head: Head) -> None:
        if self.chain.first_seq == 1 and self.chain.genesis:
            place = f"The empty chain that epoch {head.epoch} fixed"
            self.report.test("C10", place, head.hash, self.chain.genesis)
            self._compare(head, self.chain.genesis)
        self._pass_head(head)

    def _pass_head(self, head: Head) -> None:
        self.floor = self.epochs.at[head.epoch]
        self.next_head += 1
        self._look_ahead()

    def _look_ahead(self) -> None:
        left = self.next_head < len(self.heads)
        self.ceiling = self.epochs.at[self.heads[self.next_head].epoch] if left else _NO_CEILING

    def _compare(self, head: Head, found: bytes) -> None:
        (self.matched if head.hash == found else self.wrong).append(head)

    def take(self, line: bytes) -> bool:
        """Judge the next line; return False when the chain cannot be followed further."""
        self.count += 1
        self.place = f"Entry {self.seq + 1}"
        event, data = None, b""
        match = ENTRY_LINE.fullmatch(line)
        if match is not None:
            at, data, found, prev, number, ws = match.groups()
        else:
            match = self._hidden(line)
            if match is None:
                return False
            at, found, leaf, prev, number, ws = match.groups()
        if not self._follows(ws, number, prev):
            return False
        if data:
            event = self._event(data)
            if event is None:
                return False
            leaf = hashlib.sha256(b"\0" + data).hexdigest().encode()
        text = b"smsc-audit-entry/v1\n%s\n%s\n%s\n%s\n%s\n" % (ws, number, at, prev, leaf)
        wanted = hashlib.sha256(text).hexdigest().encode()
        if found != wanted:
            return self.report.test("C05", self.place, found, wanted)
        self._accept(found, at.decode(), event, data)
        return True

    def _follows(self, ws: bytes, number: bytes, prev: bytes) -> bool:
        """Apply C02 to C04. As everywhere in this class, what holds is seen before the table is
        asked: its eleven checks of each entry took a quarter of the time.
        """
        expected = self.seq + 1
        if (ws, number, prev) == (self.ws, b"%d" % expected, self.hash):
            return True
        test, place = self.report.test, self.place
        test("C02", place, ws, self.ws)
        return test("C03", place, int(number), expected) and test("C04", place, prev, self.hash)

    def _hidden(self, line: bytes) -> re.Match[bytes] | None:
        match = HIDDEN_LINE.fullmatch(line)
        problem = "is not a line of the form of version 1." if match is None else ""
        if match is not None and not self.chain.may_hide:
            problem = "is shown as a hash only, in a bundle that hides nothing."
        return match if self.report.test("C01", self.place, problem) else None

    def _accept(self, found: bytes, at: str, event: Event | None, data: bytes) -> None:
        self.seq, self.hash = self.seq + 1, found
        self._times(at)
        if event is not None:
            self._content(event, data)
        else:
            self.hidden.append(self.seq)
        self._heads()

    def _event(self, data: bytes) -> Event | None:
        try:
            return judge_event(data)
        except Unreadable as problem:
            self.report.test("C07", self.place, str(problem))
            return None

    def _times(self, at: str) -> None:
        heads = self.heads
        if at[:10] not in _days:
            self._moment(at)
        while self.next_head < len(heads) and heads[self.next_head].seq < self.seq:
            self._pass_head(heads[self.next_head])
        if at < self.at or at < self.floor or at > self.ceiling:
            self.report.test("C06", self.place, at, self.at)
            self.report.test("C13", self.place, at, self.floor, self.ceiling)
        self.first_at = self.first_at or at
        self.at = at

    def _heads(self) -> None:
        heads = self.heads
        while self.next_head < len(heads) and heads[self.next_head].seq == self.seq:
            self._compare(heads[self.next_head], bytes.fromhex(self.hash.decode()))
            self._pass_head(heads[self.next_head])

    def _content(self, event: Event, data: bytes) -> None:
        test, place = self.report.test, self.place
        if event.problem or event.ws != self.chain.workspace:
            test("C08", place, event.problem)
            test("C12", place, event.ws, self.chain.workspace)
        if not event.problem:
            self.seen.add(event.eid, self.seq)
            self.ops[event.op] = self.ops.get(event.op, 0) + 1
            if not event.is_late and event.t[:16] != self.at[:16]:
                apart = abs(moment(event.t) - self._moment(self.at))
                test("T01", place, -(-apart // MICRO), kind="warning")
        if event.mark:
            test("U01", place, event.mark, kind="warning")
        if event.removing:
            self._removing(event.op, event.removing)
        if self.disclosures is not None:
            self._personal(self.disclosures, event.committed)
        for digest in self.digests:
            self.digests[digest] = self.digests[digest] or digest in data

    def _moment(self, at: str) -> int:
        try:
            return moment(at)
        except Unreadable as problem:
            self.report.test("C01", self.place, f"has no time: {problem}")
            return 0

    def _removing(self, op: str, event: dict[str, Any]) -> None:
        """Note what was erased or pruned."""
        if op == "pd.erase":
            self._erasing(event.get("erased"))
        else:
            self.pruned_to = max(self.pruned_to, min(pruned_to(event), self.seq - 1))

    def _erasing(self, named: Any) -> None:
        for one in named if isinstance(named, list) else ():
            if isinstance(one, dict) and is_count(one.get("seq")):
                self.erased.add((one["seq"], str(one.get("field"))))

    def _personal(self, disclosures: Disclosures, committed: dict[str, Any]) -> None:
        shown, report = disclosures.of(self.seq), self.report
        if not shown and not committed:
            return
        for field, line in shown.items():
            if field not in committed:
                disclosures._stray(line)
                continue
            report.test("D01", self.place, field, commitment(line), committed[field])
            mark = DISGUISE.search(line["value"])
            report.test("U01", self.place, mark[0] if mark else "", kind="warning")
        if disclosures.is_there:
            self.withheld.update((self.seq, field) for field in committed if field not in shown)

    @property
    def unexplained_count(self) -> int:
        """Return how many hidden entries no retention.prune accounts for."""
        return sum(1 for seq in self.hidden if seq > self.pruned_to)

    def finish(self) -> None:
        """Say which heads were not reached or do not fit, and what the whole chain shows."""
        report, heads = self.report, self.heads
        kind = "effect" if self.is_stopped else "failure"
        left = heads[self.next_head :]
        if left:
            report.test("A01", self.seq, left[-1].seq, left[-1].epoch, len(left), kind=kind)
        elif not self.is_stopped and self.chain.first_seq == 1:
            place = "The start that the manifest names"
            report.test("C10", place, self.chain.claimed_start, self.chain.start)
        self._rewritten()
        last = heads[-1].seq if heads else 0
        report.test("A03", self.seq, last)
        for first, second in self.seen.twice():
            report.test("C11", first, second)
        self._erasures()
        if self.wrong:
            report.explain(self.first_finding, OF_ANOTHER_CHAIN)

    def _rewritten(self) -> None:
        for head in self.wrong[:1]:
            later = next((one for one in self.matched if one.epoch > head.epoch), None)
            if later is None:
                self.report.test("A02", head.seq, head.epoch, b"", head.hash)
            else:
                self.report.test("A04", head, later, True)

    def _erasures(self) -> None:
        disclosures = self.disclosures
        if disclosures is None:
            return
        disclosures.finish(is_effect=self.is_stopped)
        for seq, field in sorted(self.withheld - self.erased):
            self.report.test("D02", f"Entry {seq}", field, True, kind="warning")
        if not self.erased or not disclosures.is_there:
            return
        for line in disclosures.files.lines(disclosures.name):
            key = re.match(rb'{"field":"([^"]*)",', line)
            if key and (_seq_of(line), key[1].decode("utf-8", "replace")) in self.erased:
                self.report.test("D04", f"Entry {_seq_of(line)}", key[1].decode(), True)


def pruned_to(event: dict[str, Any]) -> int:
    """Return the last number of the range that a retention.prune states, 0 when it states none."""
    diff = event.get("diff")
    sides = diff.get("last") if isinstance(diff, dict) else None
    last = sides[-1] if isinstance(sides, list) and sides else 0
    return last if is_count(last) else 0


# --- The verification -----------------------------------------------------------------------------


class Wishes(NamedTuple):
    """What the reader brings along from outside the bundle, and what he asks for."""

    trust: tuple[Key, ...]
    witnesses: tuple[Key, ...] = ()
    held: tuple[Path, ...] = ()
    workspace: str = ""
    period: tuple[str, str] = ("", "")
    max_gap: int | None = None
    witness_count: int = 0
    authority: Path | None = None
    number: str = ""
    text: str = ""


# What is said of a time stamp whose digest and time fit, by what openssl says of its signature.
OF_STAMPS = {
    "": ". TSA signature not checked: give --tsa-ca to check it.",
    CONFIRMED: "; openssl confirms the authority's signature.",
    UNCHECKED: ". TSA signature not checked: there is no openssl here that could.",
    STRANGER: ". TSA signature not checked: it is not of the authority that you gave.",
}


class Signed(NamedTuple):
    """A checkpoint of the bundle that the log signed."""

    what: str
    note: Note
    checkpoint: Checkpoint
    witnesses: tuple[tuple[Key, int], ...]


class Verification:
    """One bundle, one reader, one report. The stages follow each other; a failure that would make
    everything after it meaningless ends the verification there.
    """

    def __init__(self, folder: Path, wishes: Wishes) -> None:
        self.wishes = wishes
        self.report = Report()
        self.test = self.report.test
        self.folder = folder
        self.signed: list[Signed] = []
        self.epochs = Epochs()
        self.held: list[tuple[str, Checkpoint]] = []
        self.fallback: dict[str, bytes] = {}

    @property
    def origin(self) -> str:
        """Return the name of the log that the evidence says it is of."""
        return self.manifest.origin

    def run(self) -> Report:
        """Verify and return what was found."""
        try:
            self.files = Files(self.folder)
            self._stages()
        except Stop:
            pass
        except Unreadable as problem:
            self.test("X00", str(problem))
        except OSError as problem:
            self.test("X00", f"{problem.strerror}.")
        self.report.close()
        return self.report

    def _stages(self) -> None:
        self._manifest()
        self._checkpoints()
        self._read_held()
        self._epochs()
        self._compare_held()
        self._ends_unless_good("E04", "E06", "E07")
        walk = self._chain(self._own_chain())
        self._system_chain()
        self._fallback_files(walk)
        self._anchors()
        self._level()

    def _ends_unless_good(self, *codes: str) -> None:
        if any(code in self.report.counts for code in codes):
            raise Stop

    # The manifest and the files

    def _manifest(self) -> None:
        raw, problem, value = self.files.read("manifest.json"), "", None
        try:
            value = json.loads(raw.decode(), parse_float=_no_float, parse_int=_integer)
            manifest = read_manifest(value)
        except (ValueError, RecursionError) as broken:
            problem = str(broken) if isinstance(broken, Unreadable) else "it is not JSON."
        self.test("M01", raw, value, problem)
        if problem:
            raise Stop
        self.manifest = manifest
        self.report.facts.update(
            workspace=manifest.workspace,
            slot=manifest.slot,
            origin=plain(manifest.origin),
            mode="full" if manifest.is_whole else "skeleton",
        )
        self._manifest_note(raw)
        self.test("M08", manifest.workspace, self.wishes.workspace)
        self._listed_files()

    def _manifest_note(self, raw: bytes) -> None:
        name = f"{self.manifest.origin}/export"
        problem, signers = "", []
        try:
            note = read_note(self.files.read("manifest.note"))
            self.test("M06", note.body, raw)
            signers = who_signed(note, (key for key in self.wishes.trust if key.name == name))
        except Unreadable as broken:
            problem = str(broken)
        self.test("M07", problem, bool(signers), plain(name))

    def _listed_files(self) -> None:
        before, listed = "", {"manifest.json", "manifest.note"}
        for path, size, digest in self.manifest.files:
            self.test("M02", path, before)
            before = path
            if self.test("M04", path, False):
                listed.add(path)
                self.test("M05", path, size, digest, self.files.digest(path))
        for path in self.files.links:
            self.test("M04", path, True)
        for path in self.files.paths:
            self.test("M03", path, listed)

    # Checkpoints

    def _checkpoints(self) -> None:
        names = ["checkpoint.note", *self.files.under("checkpoints", ".note")]
        for name in names:
            self._checkpoint(name)
        self._ends_unless_good("K01", "K02", "K03")
        if not self.signed:
            raise Stop
        self.report.checkpoint = self.signed[0].note.raw

    def _checkpoint(self, name: str, raw: bytes | None = None) -> None:
        origin = self.origin
        known = (*self.wishes.trust, *self.wishes.witnesses)
        try:
            note = read_note(self.files.read(name) if raw is None else raw)
            checkpoint = read_checkpoint(note)
            signed = who_signed(note, known)
        except Unreadable as broken:
            self.test("K01", name, str(broken))
            return
        signers = [key.name for key, _at in signed if key.algorithm == ED25519]
        if not self.test("K02", name, signers):
            return
        if self.test("K03", name, plain(checkpoint.origin), plain(origin), signers):
            witnesses = tuple(one for one in signed if one[0].algorithm == COSIGNATURE)
            self.signed.append(Signed(name, note, checkpoint, witnesses))

    def _read_held(self) -> None:
        for path in self.wishes.held:
            name = plain(path.name)
            try:
                note = read_note(path.read_bytes())
                checkpoint = read_checkpoint(note)
                if not self.test("H02", name, plain(checkpoint.origin), plain(self.origin)):
                    continue
                known = [key for key in self.wishes.trust if key.name == checkpoint.origin]
                if not who_signed(note, known):
                    raise Unreadable("no key that you trust signed it.")
            except (Unreadable, OSError) as broken:
                problem = str(broken) if isinstance(broken, Unreadable) else "it cannot be read."
                self.test("H01", name, problem)
            else:
                self.held.append((name, checkpoint))

    def _compare_held(self) -> None:
        for name, held in self.held:
            if self.test("H03", name, held.size, self.epochs.size):
                self.test("H04", name, held.size, held.root, self.epochs.roots.get(held.size, b""))

    # The epoch log

    def _epochs(self) -> None:
        sizes = {one.checkpoint.size for one in self.signed} | {one.size for _n, one in self.held}
        peaks: list[tuple[int, bytes]] = []
        epochs, prev = self.epochs, "0" * 64
        if 0 in sizes:
            epochs.roots[0] = tree_root([])
        for line in self.files.lines("epochs.jsonl"):
            self._epoch(line, prev)
            leaf = leaf_hash(line)
            grow(peaks, leaf)
            prev = leaf.hex()
            if epochs.size in sizes:
                epochs.roots[epochs.size] = tree_root(peaks)
        size = self.signed[0].checkpoint.size
        if not self.test("E02", size, epochs.size, True):
            raise Stop
        for one in self.signed:
            found = epochs.roots.get(one.checkpoint.size, b"")
            self.test("E07", one.what, found, one.checkpoint.root)
        self.report.facts.update(epochs=size, last_epoch=epochs.at[-1] if epochs.at else "")

    def _epoch(self, line: bytes, prev: str) -> None:
        epochs, test = self.epochs, self.test
        number = epochs.size
        try:
            epoch = read_epoch(line)
        except Unreadable as problem:
            test("E01", number, str(problem))
            raise Stop from None
        found = epoch["epoch"]
        if not test("E02", number, found, False) or not test("E03", number, epoch["prev"], prev):
            raise Stop
        if number:
            test("E04", number, epoch["at"], epochs.at[-1])
            test("E06", number, epoch["chains"], epochs.chains[-1])
            self._gap(number, moment(epoch["at"]) - moment(epochs.at[-1]))
        epochs.at.append(epoch["at"])
        epochs.chains.append(epoch["chains"])
        epochs.heads.append(bytes.fromhex(epoch["heads"]))

    def _gap(self, number: int, passed: int) -> None:
        demanded = self.wishes.max_gap
        allowed = HEARTBEAT_SECONDS if demanded is None else demanded
        kind = "warning" if demanded is None else "failure"
        self.test("E05", number, -(-passed // MICRO), allowed, kind=kind)

    # Chains

    def _own_chain(self) -> Chain:
        manifest = self.manifest
        start, genesis = bytes.fromhex(manifest.start), manifest.genesis
        return Chain(
            slot=manifest.slot,
            workspace=manifest.workspace,
            start=genesis if manifest.first_seq == 1 else start,
            claimed_start=start,
            first_seq=manifest.first_seq,
            genesis=genesis,
            may_hide=not manifest.is_whole,
            entries="entries.jsonl.gz",
            heads="heads.jsonl",
        )

    def _chain(self, chain: Chain, *, is_own: bool = True) -> Walk:
        heads = self._heads(chain)
        walk = Walk(self.report, chain, self.epochs, heads)
        if is_own:
            self._period(chain, heads)
            walk.disclosures = Disclosures(self.report, self.files)
        for path in self.files.under("fallback", ".jsonl"):
            found = self.files.digest(path)
            self.fallback[path] = found[1].encode() if found else b""
            walk.digests[self.fallback[path]] = False
        self._follow(walk)
        if is_own:
            kind = "effect" if walk.is_stopped else "failure"
            self.test("M09", self.manifest.entry_count, walk.count, kind=kind)
            self._tell(walk)
        return walk

    def _follow(self, walk: Walk) -> None:
        inflater = Inflater(walk.chain.entries)
        blocks = inflater.blocks(self.files.blocks(walk.chain.entries))
        walk.begin()
        for line in split_lines(blocks, walk.chain.entries):
            if not walk.take(line):
                walk.is_stopped = True
                break
        else:
            if inflater.member_count > 1:
                self.test("C03", "", 0, 0, inflater.member_count)
        walk.finish()
        self.test("X00", inflater.problem)

    def _tell(self, walk: Walk) -> None:
        self.report.facts.update(
            entries=walk.count,
            hidden=len(walk.hidden),
            unexplained=walk.unexplained_count,
            first_seq=self.manifest.first_seq,
            first_at=walk.first_at,
            last_at=walk.at,
            operations=dict(sorted(walk.ops.items())),
            disclosed=walk.disclosures.read_count if walk.disclosures else 0,
            withheld=len(walk.withheld),
            erased=len(walk.erased),
        )

    def _heads(self, chain: Chain) -> list[Head]:
        heads: list[Head] = []
        epochs, expected = self.epochs, 0
        while expected < epochs.size and epochs.chains[expected] <= chain.slot:
            expected += 1
        for index, line in enumerate(self.files.lines(chain.heads)):
            head = self._head(chain, f"Line {index + 1} of {chain.heads}", line, expected, heads)
            if head is not None:
                for number in range(expected, head.epoch):
                    self.test("P03", number, True)
                expected = head.epoch + 1
        # A chain that no epoch knows is not proved by having no heads.
        for number in range(expected if heads else min(expected, epochs.size - 1), epochs.size):
            self.test("P03", number, True)
        self._ends_unless_good("P01", "P02", "P03")
        for before, after in zip(heads, heads[1:]):  # noqa: B905, RUF007  (Python 3.8)
            self.test("A04", before, after, False)
        self._ends_unless_good("A04")
        return heads

    def _head(
        self, chain: Chain, place: str, line: bytes, expected: int, heads: list[Head]
    ) -> Head | None:
        problem, head, text = "", None, b""
        proof: list[bytes] = []
        try:
            head, text, proof = read_head(line, chain)
            if head.epoch >= self.epochs.size:
                problem = f"there is no epoch {head.epoch}."
            elif head.epoch < expected:
                problem = f"a head of epoch {head.epoch} has no place here."
        except Unreadable as broken:
            problem = str(broken)
        if not self.test("P01", place, problem) or head is None or problem:
            return None
        size, root = self.epochs.chains[head.epoch], self.epochs.heads[head.epoch]
        found = proved_root(leaf_hash(text), chain.slot, size, proof) if chain.slot < size else None
        self.test("P02", head.epoch, found, root)
        heads.append(head)
        return head

    def _system_chain(self) -> None:
        names = ("system-entries.jsonl.gz", "system-heads.jsonl")
        if not any(name in self.files.paths for name in names):
            return
        self.report.prefix = "System chain: "
        first = next(
            split_lines(Inflater(names[0]).blocks(self.files.blocks(names[0])), names[0]), b""
        )
        match = HIDDEN_LINE.fullmatch(first) or ENTRY_LINE.fullmatch(first)
        seq, start = (int(match[5]), bytes.fromhex(match[4].decode())) if match else (1, b"")
        install = self.manifest.install
        genesis = start if seq == 1 else b""
        walk = self._chain(
            Chain(0, install, start, start, seq, genesis, True, *names), is_own=False
        )
        self.system_digests = walk.digests
        self.report.facts["system_entries"] = walk.count
        self.report.prefix = ""

    # The period, files of outages, what others saw

    def _period(self, chain: Chain, heads: Sequence[Head]) -> None:
        covered = ""
        if chain.first_seq > 1:
            fixed = [head for head in heads if head.seq == chain.first_seq - 1]
            covered = self.epochs.at[fixed[0].epoch] if fixed else "9999"
        wanted = self.wishes.period[0] or self.manifest.period[0]
        if wanted:
            self.test("V01", wanted, covered)
        self.until = self.wishes.period[1] or self.manifest.period[1]
        if self.until:
            self.test("V02", self.until, self.epochs.at[-1] if self.epochs.at else "")

    def _fallback_files(self, walk: Walk) -> None:
        system = getattr(self, "system_digests", {})
        for path, digest in self.fallback.items():
            is_named = walk.digests.get(digest, False) or system.get(digest, False)
            self.test("F02", path, is_named, kind="warning")
            self._fallback_file(path)

    def _fallback_file(self, path: str) -> None:
        lines = self.files.lines(path)
        try:
            first = fields_of(next(lines, b""), "after", "genesis", "install", "src", "v")
            parts = (first["install"], first["src"], first["after"])
            prev = framed("smsc-audit-fallback-genesis/v1", *parts).hex()
            is_ours = first["install"] == self.manifest.install and is_version(first["v"])
            if first["genesis"] != prev or not is_ours:
                raise Unreadable("is of another installation or was changed.")
        except Unreadable as problem:
            self.test("F01", f"The first line of {path}", f"is not its beginning: {problem}")
            return
        last = b""
        for number, line in enumerate(lines, 1):
            if last:
                prev = self._fallback_line(path, number - 1, last, first["src"], prev)
            if not prev:
                return
            last = line
        # The last line may be torn: the power went while it was being written.
        if last and not last.endswith(b"\0 (the line does not end)"):
            self._fallback_line(path, number, last, first["src"], prev)

    def _fallback_line(self, path: str, number: int, line: bytes, src: str, prev: str) -> str:
        match, problem, found = FALLBACK_LINE.fullmatch(line), "", ""
        if match is None:
            problem = "is not of its form."
        else:
            leaf = leaf_hash(match[1]).hex()
            found = framed("smsc-audit-fallback/v1", src, number, prev, leaf).hex()
            wanted = (found.encode(), str(number).encode(), prev.encode())
            if match.groups()[1:] != wanted:
                problem = "was changed, or a line before it is missing."
        self.test("F01", f"Line {number + 1} of {path}", problem)
        return "" if problem else found

    def _anchors(self) -> None:
        self.seen_by: list[tuple[int, str, int]] = []
        for one in self.signed:
            for key, at in one.witnesses:
                what = f"The cosignature of {key.name} under {one.what}"
                if self._is_after(what, one.checkpoint.size, at):
                    self.seen_by.append((one.checkpoint.size, f"witness {key.name}", at))
        for path in self.files.under("anchors", ".tsr"):
            self._time_stamp(path)
        covering = self._covering_size()
        count = len(
            {who for size, who, _at in self.seen_by if size >= covering and "witness" in who}
        )
        self.test("K04", count, self.wishes.witness_count)
        self.report.facts["witnesses"] = count

    def _is_after(self, what: str, size: int, at: int) -> bool:
        """Say whether something outside saw a checkpoint after its last epoch, by the clock."""
        fixed = self.epochs.at[size - 1] if size else ""
        too_early = fixed and at < moment(fixed) // MICRO - LATE_SECONDS
        return self.test(
            "T02", what, f"is older than the epoch that it covers ({fixed})." if too_early else ""
        )

    def _time_stamp(self, path: str) -> None:
        try:
            stamp = read_time_stamp(self.files.read(path))
            one = next(
                (one for one in self.signed if stamp.digest in stamped_digests(one.note)), None
            )
            if one is None:
                raise Unreadable("is not for a checkpoint of this bundle.")
        except Unreadable as problem:
            self.test("T02", path, str(problem))
            return
        size = one.checkpoint.size
        if not self._is_after(f"The time stamp {path}", size, stamp.at):
            return
        said = f"{plain(path)} says that {plain(one.what)} existed at {clock(stamp.at)}"
        authority = self.wishes.authority
        judged = openssl_says(self.files.paths[path], stamp, authority) if authority else ""
        if judged == CONFIRMED:
            self.seen_by.append((size, "time-stamping authority", stamp.at))
        if judged == WRONG:
            self.test("T02", path, "is not confirmed by openssl under the authority that you gave.")
        else:
            self.report.notes.append(f"{said}{OF_STAMPS[judged]}")

    def _covering_size(self) -> int:
        if self.until:
            for number, at in enumerate(self.epochs.at):
                if at >= self.until:
                    return number + 1
        return self.epochs.size

    def _level(self) -> None:
        report = self.report
        if report.exit_code == 1:
            return
        report.level = "A"
        if self.held:
            report.level = "B"
            sizes = ", ".join(str(held.size) for _name, held in self.held)
            report.grounds.append(f"It continues what you held: the first {sizes} epochs.")
        covering = self._covering_size()
        outside = sorted({(who, at, size) for size, who, at in self.seen_by if size >= covering})
        for who, at, size in outside[-SHOWN_FINDINGS:]:
            report.level = "C"
            report.grounds.append(f"The {who} saw the first {size} epochs at {clock(at)}.")


# --- One message ----------------------------------------------------------------------------------

MESSAGE = "message.json"
MESSAGE_KEYS = {"checkpoint", "install", "lines", "origin", "seals", "slot", "v", "workspace"}
SEAL_KEYS = {"at", "epoch", "event", "head", "links", "path", "prev", "seq"}
HEAD_KEYS = {"epoch", "hash", "nonce", "proof", "seq"}
SHOWN_KEYS = {"disclosed", "line", "path", "salt", "seal"}
LINE_COUNTS = ("attempt", "n", "part", "parts", "position", "status", "v")
LINE_TEXTS = {"at", "campaign", "cause", "kind", "receipt", "receipt_at", "receipt_error"}
LINE_TEXTS |= {"sender", "settled_by", "smsc_id"}
FATES = {"submitted", "refused", "deferred", "released", "unknown", "suppressed", "resent"}


class Sealed(NamedTuple):
    """What the chain says of a segment: how many lines, and their root."""

    number: int
    lines: int
    root: bytes


class MessageVerification(Verification):
    """The evidence of one message: its lines, the entries that sealed them, their checkpoint."""

    value: dict[str, Any]

    @property
    def origin(self) -> str:
        """Return the name of the log that the evidence says it is of."""
        return str(self.value["origin"])

    def _stages(self) -> None:
        self._message()
        self._checkpoint("The checkpoint", self.value["checkpoint"].encode())
        self._ends_unless_good("K01", "K02", "K03")
        if not self.signed:
            raise Stop
        self.report.checkpoint = self.signed[0].note.raw
        self.report.facts["epochs"] = self.signed[0].checkpoint.size
        self._read_held()
        self._hold_against()
        self.fixed_at = ""
        seals = [self._seal(seal) for seal in self.value["seals"]]
        self.lines = [self._line(shown, seals) for shown in self.value["lines"]]
        if not all(self.lines):
            raise Stop
        self._whole_message()
        self._present("number", self.wishes.number)
        self._present("text", self.wishes.text)
        self._witnesses()
        self._grade()

    def _message(self) -> None:
        problem, value = "", None
        try:
            raw = self.files.read(MESSAGE)
            if not raw.endswith(b"\n"):
                raise Unreadable("its line does not end.")
            value = read_message(read_canonical(raw[:-1]))
        except Unreadable as broken:
            problem = str(broken)
        if not self.test("S01", problem) or value is None:
            raise Stop
        self.value = value
        self.report.facts.update(
            workspace=value["workspace"], slot=value["slot"], origin=plain(value["origin"])
        )
        self.test("M08", value["workspace"], self.wishes.workspace)

    def _hold_against(self) -> None:
        """Compare what the reader held with the checkpoint; others cannot be compared here."""
        signed, compared = self.signed[0].checkpoint, []
        for name, held in self.held:
            if held.size == signed.size:
                self.test("H04", name, held.size, held.root, signed.root)
                compared.append((name, held))
            else:
                self.report.notes.append(
                    f"{name} is over {held.size} epochs and this checkpoint over {signed.size}: to"
                    " compare them, ask for the bundle of the workspace."
                )
        self.held = compared

    # From an entry to the checkpoint

    def _seal(self, seal: dict[str, Any]) -> Sealed | None:
        place, data = f"Entry {seal['seq']}", seal["event"].encode()
        head = seal["head"]
        self._to_checkpoint(seal, head)
        self._to_head(place, seal, head, leaf_hash(data))
        problem, event = "", {}
        try:
            event = read_event(data)
        except Unreadable as unreadable:
            problem = str(unreadable)
        if not self.test("C07", place, problem):
            return None
        self.test("C08", place, event_problem(event))
        self.test("C12", place, event.get("ws"), self.value["workspace"])
        return self._sealed(place, event)

    def _to_head(self, place: str, seal: dict[str, Any], head: dict[str, Any], leaf: bytes) -> None:
        name, workspace = "smsc-audit-entry/v1", self.value["workspace"]
        found = framed(name, workspace, seal["seq"], seal["at"], seal["prev"], leaf.hex())
        for seq, (at, later) in enumerate(seal["links"], seal["seq"] + 1):
            found = framed(name, workspace, seq, at, found.hex(), later)
        reached = seal["seq"] + len(seal["links"])
        self.test("S02", place, found if reached == head["seq"] else b"", unhex(head["hash"]))

    def _to_checkpoint(self, seal: dict[str, Any], head: dict[str, Any]) -> None:
        line, number, epoch = seal["epoch"].encode(), head["epoch"], None
        try:
            epoch = read_epoch(line)
            if epoch["epoch"] != number:
                epoch = None
                raise Unreadable(f"it is not epoch {number}.")
        except Unreadable as problem:
            self.test("E01", number, str(problem))
        if epoch is None:
            return
        slot, chains = self.value["slot"], epoch["chains"]
        parts = ("smsc-audit-head/v1", slot, self.value["workspace"], head["seq"], head["hash"])
        text = "".join(f"{part}\n" for part in (*parts, head["nonce"])).encode()
        proof = [unhex(step) for step in head["proof"]]
        found = proved_root(leaf_hash(text), slot, chains, proof) if slot < chains else None
        self.test("P02", number, found, unhex(epoch["heads"]))
        signed, path = self.signed[0].checkpoint, [unhex(step) for step in seal["path"]]
        is_inside = epoch["epoch"] < signed.size
        root = proved_root(leaf_hash(line), number, signed.size, path) if is_inside else None
        self.test("E07", "the checkpoint", root, signed.root)
        self.fixed_at = max(self.fixed_at, epoch["at"])

    def _sealed(self, place: str, event: dict[str, Any]) -> Sealed | None:
        problem, sealed = "", None
        try:
            if event.get("op") != "messages.sealed":
                raise Unreadable(f"it records {event.get('op')}.")
            number, lines, root = (event["diff"][key][1] for key in ("number", "lines", "root"))
            if not is_count(number) or not is_count(lines) or not is_hex(root):
                raise Unreadable("its facts are not of their form.")
            sealed = Sealed(number, lines, unhex(root))
        except (KeyError, IndexError, TypeError):
            problem = "its facts are missing."
        except Unreadable as broken:
            problem = str(broken)
        self.test("S03", place, problem)
        return sealed

    # The lines

    def _line(self, shown: dict[str, Any], seals: Sequence[Sealed | None]) -> dict[str, Any]:
        data, problem, line = shown["line"].encode(), "", {}
        sealed = seals[shown["seal"]]
        place = f"Line {self.value['lines'].index(shown) + 1} of the message"
        try:
            line = read_outcome(data)
        except Unreadable as broken:
            problem = str(broken)
        self.test("S04", place, problem)
        if not line or sealed is None:
            return line
        path, index = [unhex(step) for step in shown["path"]], line["n"] - 1
        found = None
        if index < sealed.lines:
            found = proved_root(leaf_hash(data), index, sealed.lines, path)
        self.test("S05", f"{place} ({line['n']} of segment {sealed.number})", found, sealed.root)
        for field, value in shown["disclosed"].items():
            self._disclosed(place, line, shown["salt"], field, value)
        return line

    def _disclosed(
        self, place: str, line: dict[str, Any], salt: str, field: str, value: str
    ) -> None:
        if field not in line:
            self.test("D03", f"{place}: the disclosed {field}", "belongs to no commitment of it.")
            return
        self.test("D01", place, field, committed_to(salt, field, value), line[field])
        mark = DISGUISE.search(value)
        self.test("U01", place, mark[0] if mark else "", kind="warning")

    def _whole_message(self) -> None:
        """Say which message it is and what became of its parts: a later line revises one before."""
        wanted = None
        last: dict[tuple[int, int], dict[str, Any]] = {}
        for index, line in enumerate(self.lines):
            found = (line["campaign"], line["position"])
            wanted = wanted or found
            self.test("S06", f"Line {index + 1} of the message", found, wanted)
            last[line["attempt"], line["part"]] = line
        first = self.lines[0]
        self.report.facts.update(
            campaign=plain(first["campaign"]),
            position=first["position"],
            sender=plain(first["sender"]),
            outcomes=[outcome_words(line) for _key, line in sorted(last.items())],
            shown=self._shown(),
        )
        self.report.notes.append(parts_words(list(last.values())))

    def _shown(self) -> dict[str, str]:
        shown = [one["disclosed"] for one in self.value["lines"]]
        return {field: plain(value) for one in shown for field, value in one.items()}

    def _present(self, field: str, given: str) -> None:
        """Answer whether this is the number, or the text, that the reader presents."""
        if not given:
            return
        value = re.sub("[ ()-]", "", given) if field == "number" else given
        asked = False
        for index, (line, shown) in enumerate(zip(self.lines, self.value["lines"])):  # noqa: B905
            if field in line:
                asked = True
                fits = committed_to(shown["salt"], field, value) == line[field]
                self.test("S07", f"Line {index + 1} of the message", field, fits)
        self.report.notes.append(
            f"The {field} that you gave was compared with what was recorded."
            if asked
            else f"The {field} was erased before this was sealed: nothing here can confirm it."
        )

    # What others saw

    def _witnesses(self) -> None:
        one, count = self.signed[0], 0
        for key, at in one.witnesses:
            is_late = at >= moment(self.fixed_at) // MICRO - LATE_SECONDS if self.fixed_at else True
            problem = (
                "" if is_late else f"is older than the epoch that it covers ({self.fixed_at})."
            )
            if self.test("T02", f"The cosignature of {key.name}", problem):
                count += 1
                self.report.grounds.append(
                    f"The witness {plain(key.name)} saw the first {one.checkpoint.size} epochs at"
                    f" {clock(at)}."
                )
        self.test("K04", count, self.wishes.witness_count)
        self.report.facts["witnesses"] = count

    def _grade(self) -> None:
        report = self.report
        if any(self.wishes.period):
            report.notes.append(
                "This is one message: the period that you asked for was not judged."
            )
        if report.exit_code != 1:
            report.level = "C" if report.facts["witnesses"] else "B" if self.held else "A"


def unhex(text: str) -> bytes:
    """Return the bytes of a hash."""
    return bytes.fromhex(text)


def committed_to(salt: str, field: str, value: str) -> str:
    """Return what a line must hold for this number, or this text: its SHA-256 is committed to."""
    if field == "text":
        value = sha256(value.encode("utf-8", "surrogatepass")).hex()
    return commitment({"salt": salt, "field": field, "value": value})


def read_message(value: Any) -> dict[str, Any]:
    """Check the form of message.json's value; raise Unreadable."""
    fields = _only(value, MESSAGE_KEYS)
    texts = ("checkpoint", "install", "origin", "workspace")
    if not is_version(fields["v"]) or not is_count(fields["slot"]):
        raise Unreadable("it is of another version, or its slot is no number.")
    if not all(isinstance(fields[key], str) for key in texts):
        raise Unreadable("its names are no texts.")
    if not UUID.fullmatch(fields["workspace"]) or not UUID.fullmatch(fields["install"]):
        raise Unreadable("its installation or its workspace is not a UUID.")
    if not is_origin(fields["origin"], fields["install"]):
        raise Unreadable("its origin is the name of another installation's log.")
    seals, lines = _list(fields["seals"]), _list(fields["lines"])
    if not seals or not lines:
        raise Unreadable("it shows no line, or none that was sealed.")
    for seal in seals:
        _seal_form(seal)
    for line in lines:
        _shown_form(line, len(seals))
    return fields


def _only(value: Any, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != keys:
        raise Unreadable(f"it must have {', '.join(sorted(keys))} and nothing else.")
    return value


def _seal_form(value: Any) -> None:
    seal = _only(value, SEAL_KEYS)
    head = _only(seal["head"], HEAD_KEYS)
    counts = (seal["seq"], head["epoch"], head["seq"])
    hashes = (seal["prev"], head["hash"], head["nonce"], *_list(head["proof"]))
    if not all(map(is_count, counts)) or not all(map(is_hex, (*hashes, *_list(seal["path"])))):
        raise Unreadable("a number or a hash of a seal is not of its form.")
    if not isinstance(seal["event"], str) or not isinstance(seal["epoch"], str):
        raise Unreadable("an event or an epoch is no text.")
    moment(str(seal["at"]))
    for link in _list(seal["links"]):
        if not isinstance(link, list) or len(link) != 2 or not is_hex(link[1]):
            raise Unreadable("a link is not a time and a hash.")
        moment(str(link[0]))


def _shown_form(value: Any, seal_count: int) -> None:
    shown = _only(value, SHOWN_KEYS)
    disclosed = shown["disclosed"]
    if not isinstance(shown["line"], str) or not is_hex(shown["salt"]):
        raise Unreadable("a line is no text, or its salt is not 32 bytes in hex.")
    if not all(map(is_hex, _list(shown["path"]))):
        raise Unreadable("a path is not a list of hashes.")
    if not is_count(shown["seal"]) or shown["seal"] >= seal_count:
        raise Unreadable("a line names a seal that is not there.")
    if not isinstance(disclosed, dict) or set(disclosed) - {"number", "text"}:
        raise Unreadable("something else than a number and a text is disclosed.")
    if not all(isinstance(one, str) for one in disclosed.values()):
        raise Unreadable("a disclosed value is no text.")


def read_outcome(data: bytes) -> dict[str, Any]:
    """Return what a line of a segment says; raise Unreadable."""
    line = read_canonical(data)
    needed = {*LINE_COUNTS, *LINE_TEXTS}
    if not isinstance(line, dict) or set(line) - {"number", "text"} != needed:
        raise Unreadable("its keys are not those of a line.")
    if not all(is_count(line[key]) for key in LINE_COUNTS) or line["v"] != 1 or not line["n"]:
        raise Unreadable("its numbers are not of their form.")
    if not all(isinstance(line[key], str) for key in LINE_TEXTS) or line["kind"] not in FATES:
        raise Unreadable("its texts are not of their form.")
    if not all(is_hex(line[key]) for key in ("number", "text") if key in line):
        raise Unreadable("its commitments are not of their form.")
    moment(line["at"])
    if line["receipt_at"]:
        moment(line["receipt_at"])
    return line


def outcome_words(line: dict[str, Any]) -> str:
    """Return what became of one attempt, in words."""
    part = f"part {line['part']} of {line['parts']}" if line["part"] else "all parts"
    said = f"{part}: {line['kind']} at {line['at']}"
    if line["cause"]:
        said += f" ({line['cause']})"
    if line["receipt"]:
        said += f", receipt {line['receipt']}"
        said += f" at {line['receipt_at']}" if line["receipt_at"] else ""
    return plain(said)


def parts_words(lines: Sequence[dict[str, Any]]) -> str:
    """Say how much of the message the shown lines are."""
    count = max(line["parts"] for line in lines)
    shown = {line["part"] for line in lines}
    shown_count = count if 0 in shown else len(shown)
    return (
        f"{shown_count} of {count} parts are shown, as they stood when they were sealed. A later"
        " line may revise this."
    )


def stamped_digests(note: Note) -> set[bytes]:
    """Return what a time stamp may be over: a note's text, or it with its first signatures."""
    digests, text = {sha256(note.body)}, note.body + b"\n"
    for line in note.raw[len(text) :].splitlines(keepends=True):
        text += line
        digests.add(sha256(text))
    return digests


def clock(seconds: int) -> str:
    """Return a time for people."""
    start = datetime(1970, 1, 1)  # noqa: DTZ001
    if seconds > 253_402_300_799:
        return "a time that no calendar has"
    return (start + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S UTC")


def read_epoch(line: bytes) -> dict[str, Any]:
    """Return an epoch line's values; raise Unreadable."""
    epoch = fields_of(line, "at", "chains", "epoch", "heads", "prev", "v")
    if not is_version(epoch["v"]) or not is_count(epoch["chains"]) or not is_count(epoch["epoch"]):
        raise Unreadable("its version or its counts are not of their form.")
    if not is_hex(epoch["heads"]) or not is_hex(epoch["prev"]) or not isinstance(epoch["at"], str):
        raise Unreadable("its hashes are not of their form.")
    moment(epoch["at"])
    return epoch


def read_head(line: bytes, chain: Chain) -> tuple[Head, bytes, list[bytes]]:
    """Return a head, the text that its epoch's tree holds, and the proof; raise Unreadable."""
    value = fields_of(line, "epoch", "hash", "nonce", "proof", "seq")
    proof = value["proof"]
    if not isinstance(proof, list) or not all(map(is_hex, proof)) or len(proof) > 64:
        raise Unreadable("its proof is not a list of hashes.")
    if not is_count(value["epoch"]) or not is_count(value["seq"]):
        raise Unreadable("its numbers are not whole numbers.")
    if not is_hex(value["hash"]) or not is_hex(value["nonce"]):
        raise Unreadable("its hashes are not of their form.")
    parts = (chain.slot, chain.workspace, value["seq"], value["hash"], value["nonce"])
    text = "".join(f"{part}\n" for part in ("smsc-audit-head/v1", *parts)).encode()
    head = Head(value["epoch"], value["seq"], bytes.fromhex(value["hash"]))
    return head, text, [bytes.fromhex(step) for step in proof]


def verify(folder: Path, wishes: Wishes) -> Report:
    """Verify a bundle, or the evidence of one message."""
    is_message = (folder / MESSAGE).is_file() and not (folder / "manifest.json").exists()
    return (MessageVerification if is_message else Verification)(folder, wishes).run()


# --- What the reader sees -------------------------------------------------------------------------

LEVELS = {
    "A": "whole in itself and signed with the keys that you trust",
    "B": "whole, signed, and it continues the checkpoint that you held before",
    "C": "whole, signed, and its end was seen by somebody independent of the operator",
}
SAYS_NOT = {
    "A": "It does not show that the operator himself, who has the signing keys, did not write"
    " another history, cut off the newest part or restore an old one. Hold a checkpoint from now"
    " on (--held), name witnesses (--witness), and ask for a date (--to).",
    "B": "It does not show when the part after the checkpoint that you held was written.",
    "C": "It does not show that those who saw it act independently of the operator.",
}
NEVER = (
    "No level shows that everything that happened was recorded, that what was recorded is true, or"
    " that a claimed time (t) is right."
)


def describe(report: Report) -> str:
    """Return the report for people."""
    lines = [*_scope(report.facts), *report.notes]
    if report.findings:
        lines.append("")
    for finding in report.findings:
        lines.append(f"{finding.code}  {TITLES[finding.kind]}: {finding.sentence}")
    for code, count in report.counts.items():
        if count > SHOWN_FINDINGS:
            lines.append(f"{code}  ... and {count - SHOWN_FINDINGS} more of these")
    return "\n".join([*lines, "", *_conclusion(report)]) + "\n"


def _scope(facts: dict[str, Any]) -> Iterator[str]:
    if "workspace" in facts:
        yield f"Evidence of workspace {facts['workspace']}, slot {facts['slot']}"
        yield f"of the log {facts['origin']}"
    if "entries" in facts:
        span = f", {facts['first_at']} to {facts['last_at']}" if facts["first_at"] else ""
        yield f"{facts['entries']} entries from number {facts['first_seq']}{span}"
        yield f"{facts['epochs']} epochs, the last of {facts['last_epoch']}"
    if "campaign" in facts:
        yield f"Message {facts['position']} of {facts['campaign']}, sent as {facts['sender']}"
        yield from facts["outcomes"]
        yield from (f"Disclosed {field}: {value}" for field, value in facts["shown"].items())
    if "mode" in facts:
        yield f"Mode of the entries: {facts['mode']}"
    if facts.get("hidden"):
        yield f"{facts['hidden']} entries are shown as hashes only"
    if facts.get("unexplained"):
        yield (
            f"{facts['unexplained']} hidden entries are covered by no retention.prune that is shown"
            " here: ask why they are hidden"
        )
    if facts.get("erased"):
        yield f"{facts['erased']} personal values are recorded as erased"


def _conclusion(report: Report) -> list[str]:
    if report.exit_code == 1:
        return [
            "RESULT: REFUSED. This bundle is not evidence of what it claims to show; see the first"
            " sentence marked REFUSED."
        ]
    what = " A person must judge the warnings above." if report.exit_code == 2 else ""
    return [
        f"RESULT: LEVEL {report.level}: {LEVELS[report.level]}.{what}",
        *report.grounds,
        SAYS_NOT[report.level],
        NEVER,
    ]


def as_json(report: Report) -> str:
    """Return the report for programs."""
    value = {
        "result": ("verified", "refused", "warnings")[report.exit_code],
        "exit": report.exit_code,
        "level": report.level or None,
        "grounds": report.grounds,
        "says_not": [SAYS_NOT[report.level], NEVER] if report.level else [],
        "findings": [finding._asdict() for finding in report.findings],
        "counts": report.counts,
        "facts": report.facts,
        "notes": report.notes,
        "verifier": VERSION,
    }
    return json.dumps(value, indent=1) + "\n"


def keep(report: Report, target: Path, folder: Path) -> str:
    """Write the checkpoint for next time; return a sentence. Nothing is written into the bundle."""
    inside = folder.resolve() in [target.resolve(), *target.resolve().parents]
    if report.exit_code == 1 or not report.checkpoint or inside:
        return ""
    for path in (target, target.with_name(f"{target.stem}-{report.facts['epochs']}.note")):
        try:
            with path.open("xb") as file:
                file.write(report.checkpoint)
        except OSError:
            if path.is_file() and path.read_bytes() == report.checkpoint:
                return f"{path} already holds this checkpoint."
        else:
            return f"Keep {path}, and give it as --held when newer evidence comes."
    return "The checkpoint could not be kept: name another file with --keep."


# --- The command ----------------------------------------------------------------------------------


class _Words(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        """Refuse with 1: 2 means warnings."""
        self.print_usage(sys.stderr)
        self.exit(1, f"REFUSED to run: {message}\n")


def _key_words() -> _Words:
    words = _Words(prog="verify_evidence.py", description="Verify an evidence bundle, offline.")
    words.add_argument("bundle", type=Path, help="the folder of the bundle, or of one message")
    word = words.add_argument
    key = "a verifier key, or a file with one in each line"
    word("--trust", action="append", required=True, metavar="VKEY", help=f"{key}: log and export")
    word("--witness", action="append", default=[], metavar="VKEY", help=f"{key}: of a witness")
    word(
        "--need-witness",
        type=int,
        default=0,
        metavar="N",
        help="so many witnesses must have signed",
    )
    word("--held", action="append", default=[], type=Path, help="a checkpoint that you kept")
    word("--ws", default="", metavar="UUID", help="the workspace that you asked for")
    word("--from", dest="since", default="", metavar="TIME", help="start of the period asked for")
    word(
        "--to", dest="until", default="", metavar="TIME", help="its end; a date means its whole day"
    )
    word("--max-gap", type=int, metavar="SECONDS", help="refuse longer gaps between epochs")
    word("--tsa-ca", type=Path, metavar="PEM", help="certificate of the time-stamping authority")
    word("--keep", type=Path, default=Path("held.note"), help="where the checkpoint is kept")
    word("--number", default="", help="of one message: is it to this number?")
    word("--text", default="", help="of one message: is this its text?")
    word("--json", action="store_true", help="print the report for programs")
    return words


def _keys(texts: Sequence[str]) -> tuple[Key, ...]:
    keys: list[Key] = []
    for text in texts:
        try:
            keys.append(read_key(text))
        except Unreadable:
            if not Path(text).is_file():
                raise
            lines = Path(text).read_text(encoding="utf-8").split("\n")
            keys += [read_key(line) for line in lines if line.strip()]
    return tuple(keys)


def _certificates(path: Path | None) -> Path | None:
    """Return the file of an authority's certificates; raise Unreadable when it holds none."""
    if path is not None and b"-----BEGIN " not in path.read_bytes():
        raise Unreadable(f"{path} holds no certificate in PEM form.")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _key_words()
    words = parser.parse_args(arguments)
    try:
        wishes = Wishes(
            trust=_keys(words.trust),
            witnesses=_keys(words.witness),
            held=tuple(words.held),
            workspace=words.ws.lower(),
            period=(read_time(words.since), read_time(words.until, is_end=True)),
            max_gap=words.max_gap,
            witness_count=words.need_witness,
            authority=_certificates(words.tsa_ca),
            number=words.number,
            text=words.text,
        )
    except (Unreadable, OSError) as problem:
        parser.error(str(problem))
    report = verify(words.bundle, wishes)
    kept = keep(report, words.keep, words.bundle)
    text = as_json(report) if words.json else describe(report) + (f"{kept}\n" if kept else "")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write(text)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())

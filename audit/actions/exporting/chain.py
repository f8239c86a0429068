"""The chains of a bundle: epochs, heads with their proofs, entries. Nothing leaves unrecomputed."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from audit.actions.exporting.entry_files import EntryFiles
from audit.actions.exporting.folder import Folder
from audit.actions.exporting.report_tables import Gap
from audit.queries.chains import Connection
from audit.queries.export_heads import SYSTEM, fixed_epochs
from audit.queries.export_lines import disclosure_lines, entry_lines, system_lines
from audit.rules.bundle import Span, head_line
from audit.rules.bundle_heads import Proved
from audit.rules.bundle_lines import Passed, recomputed
from audit.rules.canonical import read_stamp
from audit.rules.chain import Broken

Tell = Callable[[int], None]

TOLD_EVERY = 5_000
LONGEST_GAP_SECONDS = 7_200


@dataclass
class Heads:
    """The last heads of both chains of a bundle, and where the log stood still."""

    last: dict[int, Proved] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)


def write_epochs(
    folder: Folder, connection: Connection, span: Span, secret: bytes, tell: Tell
) -> Heads:
    """Write epochs.jsonl, heads.jsonl and system-heads.jsonl; raise Broken."""
    heads, before = Heads(), ""
    names = {span.chain.slot: "heads.jsonl"}
    if span.chain.slot != SYSTEM:
        names[SYSTEM] = "system-heads.jsonl"
    with ExitStack() as stack:
        log = stack.enter_context(folder.file("epochs.jsonl"))
        files = {slot: stack.enter_context(folder.file(name)) for slot, name in names.items()}
        epochs = fixed_epochs(connection, span, secret, list(names))
        for fixed in stack.enter_context(closing(epochs)):
            log.write(fixed.epoch.line() + b"\n")
            for slot, one in fixed.heads.items():
                line = head_line(one.epoch, one.hash, one.nonce, one.proof, one.seq)
                files[slot].write(line + b"\n")
            heads.last = fixed.heads
            _note_gap(heads, before, fixed.epoch.at)
            before = fixed.epoch.at
            tell(1)
    return heads


def write_entries(
    files: EntryFiles, connection: Connection, span: Span, heads: Heads, tell: Tell
) -> Passed:
    """Hand the entries over to be written and return what passed; raise Broken."""
    slot = span.chain.slot
    passed = Passed(span.chain.ws, slot, span.first_seq - 1, span.start_prev.hex().encode())
    # Closed whatever happens: a COPY that is left in the middle holds the connection for good.
    with closing(entry_lines(connection, span)) as lines:
        files.take(_told(recomputed(lines, passed), tell))
    _check_end(passed, heads.last.get(slot))
    return passed


def write_system(
    folder: Folder, connection: Connection, span: Span, heads: Heads, system_genesis: bytes
) -> None:
    """Write the system chain from its beginning, shown where it concerns every reader."""
    head = heads.last.get(SYSTEM)
    if span.chain.slot == SYSTEM or head is None:
        return
    passed = Passed(span.chain.install, SYSTEM, 0, system_genesis.hex().encode())
    with closing(system_lines(connection, span, head.seq)) as lines:
        folder.put_packed("system-entries.jsonl.gz", recomputed(lines, passed))
    _check_end(passed, head)


def write_disclosures(folder: Folder, connection: Connection, span: Span) -> None:
    """Write disclosures.jsonl, sorted by number."""
    with closing(disclosure_lines(connection, span)) as lines:
        folder.put_lines("disclosures.jsonl", lines)


def _check_end(passed: Passed, head: Proved | None) -> None:
    if head is None:
        raise Broken("P03", f"No epoch knows chain {passed.slot}.")
    if passed.seq != head.seq:
        raise Broken("A01", f"Chain {passed.slot} ends at entry {passed.seq}, not at {head.seq}.")
    if passed.hash != head.hash:
        raise Broken("A02", f"Chain {passed.slot} is not the one that the last epoch fixed.")


def _told(lines: Iterable[bytes], tell: Tell) -> Iterator[bytes]:
    for count, line in enumerate(lines, 1):
        if not count % TOLD_EVERY:
            tell(TOLD_EVERY)
        yield line


def _note_gap(heads: Heads, before: str, after: str) -> None:
    if not before or (before[:10] == after[:10] and before[11:13] == after[11:13]):
        return
    seconds = int((read_stamp(after) - read_stamp(before)).total_seconds())
    if seconds > LONGEST_GAP_SECONDS:
        heads.gaps.append(Gap(before, after, seconds))

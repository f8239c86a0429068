"""From rows of a file to rows of the database: numbers read, sealed and written as COPY text."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from json import JSONEncoder

from campaigns.rules.faults import Fault
from campaigns.rules.numbers import reader
from campaigns.rules.spreadsheets import Row
from workspaces.rules.sealing import Keys

LONGEST_VALUE = 500
# What is kept of a row that is not sent to, for the reject file.
KEPT_CELLS = 200
KEPT_CHARACTERS = 1_000

_encode = JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True)
class Columns:
    """What is taken from a row: the number, and for each placeholder name a column, from 0."""

    number: int
    country: str
    names: Sequence[str]
    positions: Sequence[int]


@dataclass(frozen=True)
class FaultyRow:
    """A row that is not sent to; cell and row sealed, the row as a JSON list of its cells."""

    row_number: int
    fault: Fault
    value_sealed: bytes
    row_sealed: bytes


@dataclass(frozen=True)
class Taken:
    """What a chunk of rows became: lines for COPY (PostgreSQL, text format), and the faulty."""

    lines: Sequence[str]
    faults: Sequence[FaultyRow]

    @property
    def row_count(self) -> int:
        return len(self.lines) + len(self.faults)


class Intake:
    """Takes rows of one list in. The work of one row is what an import of millions costs."""

    def __init__(self, keys: Keys, columns: Columns, *, workspace_id: int, list_id: int) -> None:
        self._columns = columns
        self._list_id = list_id
        self._seal = keys.number_sealer(workspace_id).seal
        self._fingerprint = keys.fingerprinter().fingerprint
        self._seal_value = keys.sealer(value_context(list_id)).seal
        self._seal_row = keys.sealer(row_context(list_id)).seal
        self._read = reader(columns.country)
        # COPY reads a backslash as an escape of its own, so JSON's are doubled.
        titles = [f"{_encode(name)}: " for name in columns.names]
        self._wanted = list(zip(titles, columns.positions, strict=True))

    def take(self, rows: Sequence[Row], broken: Sequence[Row]) -> Taken:
        """Return the rows as lines of staged_recipient, and those with a fault."""
        lines: list[str] = []
        faults = [self._faulty(row, cells, Fault.BROKEN_ROW) for row, cells in broken]
        column = self._columns.number
        for row, cells in rows:
            number = self._read(cells[column] if column < len(cells) else "")
            if isinstance(number, Fault):
                faults.append(self._faulty(row, cells, number))
                continue
            values = self._values(cells)
            if values is None:
                faults.append(self._faulty(row, cells, Fault.LONG_VALUE))
                continue
            fingerprint = self._fingerprint(number).hex()
            sealed = self._seal(number).hex()
            lines.append(f"{self._list_id}\t{row}\t\\\\x{fingerprint}\t\\\\x{sealed}\t{values}\n")
        return Taken(lines, faults)

    def _values(self, cells: Sequence[str]) -> str | None:
        """Return the values as JSON in COPY's spelling, or None when one is too long."""
        pieces = []
        for title, position in self._wanted:
            value = cells[position].strip() if position < len(cells) else ""
            if len(value) > LONGEST_VALUE:
                return None
            # A no-break space alone would make a text UCS-2 and cost parts.
            pieces.append(title + _encode(value.replace("\xa0", " ")))
        text = "{" + ", ".join(pieces) + "}"
        return text.replace("\\", "\\\\") if "\\" in text else text

    def _faulty(self, row: int, cells: Sequence[str], fault: Fault) -> FaultyRow:
        kept = [cell[:KEPT_CHARACTERS] for cell in cells[:KEPT_CELLS]]
        column = self._columns.number
        value = kept[column] if column < len(kept) and fault is not Fault.BROKEN_ROW else ""
        return FaultyRow(
            row_number=row,
            fault=fault,
            value_sealed=self._seal_value(value),
            row_sealed=self._seal_row(json.dumps(kept, ensure_ascii=False)),
        )


def value_context(list_id: int) -> str:
    """Return what the sealed cell of a faulty row is bound to."""
    return f"recipient_fault.value:{list_id}"


def row_context(list_id: int) -> str:
    """Return what a sealed faulty row is bound to."""
    return f"recipient_fault.row:{list_id}"

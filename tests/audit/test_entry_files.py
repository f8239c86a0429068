"""The packed entries and their tables, and the process that writes them."""

import csv
import errno
import gzip
import io
import os
import resource
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import repeat
from pathlib import Path

import pytest

from audit.actions.exporting import entry_files
from audit.actions.exporting.entry_files import EntryFiles, write_files
from audit.actions.exporting.folder import Folder
from audit.rules.canonical import Json, encode
from audit.rules.cells import harmless
from audit.rules.chain import Broken
from audit.rules.entry_table import HEADS, Count

AT = "2026-03-01T00:00:00.000000Z"
CELLS = [
    "=1+1",
    "+44",
    "-1",
    "@x",
    " =1",
    "\u00a0+1",
    "\ufeff=1",
    "\t=1",
    "\r",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    " \ufeff\u00a0-1",
    " x",
    "\n@",
    "спокойно",
    "a=1",
    "x",
    "",
]
CELLS += ['a "b", c', "line\nline\r\n", '"', ","]


def line(seq: int, **said: Json) -> bytes:
    event: dict[str, Json] = {"op": "a.b", "t": AT, "v": 1, **said}
    return encode({"at": AT, "ev": event, "hash": "0" * 64, "prev": "1" * 64, "seq": seq})


def hidden(seq: int) -> bytes:
    return encode({"at": AT, "hash": "0" * 64, "leaf": "2" * 64, "prev": "1" * 64, "seq": seq})


def endless() -> Iterator[bytes]:
    return repeat(line(1, why="x" * 500))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.new(tmp_path / "bundle")


def written(folder: Folder, lines: Iterable[bytes], entry_count: int) -> list[Count]:
    with EntryFiles(folder, entry_count) as files:
        files.take(lines)
        return files.end()


def table(folder: Folder, name: str = "entries") -> list[dict[str, str]]:
    text = (folder.path / f"tables/{name}.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_table_says_what_the_entries_say_and_no_cell_is_a_formula(folder: Folder) -> None:
    lines = [
        line(number, act={"id": cell, "kind": "user"}, obj={"id": cell, "type": "x"}, why=cell)
        for number, cell in enumerate(CELLS, 1)
    ]
    written(folder, lines, len(lines))
    rows = table(folder)
    assert list(rows[0]) == list(HEADS)
    assert [row["entry"] for row in rows] == [str(number) for number in range(1, len(CELLS) + 1)]
    for column in ("who", "about id", "reason"):
        assert [row[column] for row in rows] == [harmless(cell) for cell in CELLS]
    last = {"recorded": AT, "claimed": AT, "operation": "a.b", "result": "ok", "about": "x"}
    assert rows[-1].items() >= last.items()
    assert (rows[-1]["hash"], rows[-1]["request"]) == ("0" * 64, "")


def test_every_line_is_packed_and_every_file_listed_with_its_hash(folder: Folder) -> None:
    lines = [line(1), hidden(2), line(3, res="denied"), line(4, op="c.d")]
    counts = written(folder, lines, 4)
    assert gzip.decompress((folder.path / "entries.jsonl.gz").read_bytes()).splitlines() == lines
    assert [row["entry"] for row in table(folder)] == ["1", "3", "4"]
    assert counts == [Count("a.b", "denied", 1), Count("a.b", "ok", 1), Count("c.d", "ok", 1)]
    for listed in folder.files:
        data = (folder.path / listed.path).read_bytes()
        assert (listed.sha256, listed.size) == (sha256(data).hexdigest(), len(data))
    assert {one.path for one in folder.files} == {"entries.jsonl.gz", "tables/entries.csv"}
    assert {path.stat().st_mode & 0o77 for path in folder.path.rglob("*")} == {0}


def test_a_chain_that_stood_still_has_packed_entries_and_no_table(folder: Folder) -> None:
    assert written(folder, [], 0) == []
    assert gzip.decompress((folder.path / "entries.jsonl.gz").read_bytes()) == b""
    assert [one.path for one in folder.files] == ["entries.jsonl.gz"]


def test_a_folder_is_found_from_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(Folder.new(Path("here")), [line(1)], 1)
    assert (tmp_path / "here/tables/entries.csv").exists()


def test_no_table_is_longer_than_a_spreadsheet_opens(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_files, "ROWS_OF_A_TABLE", 2)
    lines = [line(number) + b"\n" for number in range(1, 6)]
    write_files(lines, folder, len(lines))
    found = [[row["entry"] for row in table(folder, f"entries-{part}")] for part in (1, 2, 3)]
    assert found == [["1", "2"], ["3", "4"], ["5"]]
    packed = gzip.decompress((folder.path / "entries.jsonl.gz").read_bytes())
    assert packed == b"".join(lines)


ODD: dict[str, Json] = {"why": 5, "act": [], "obj": None, "res": None, "req": ["=1"]}


def test_parts_of_other_kinds_than_ours_are_told_as_they_are(folder: Folder) -> None:
    assert written(folder, [line(1, **ODD)], 1) == [Count("a.b", "ok", 1)]
    [row] = table(folder)
    assert (row["reason"], row["who"], row["about"], row["result"]) == ("5", "", "", "ok")
    assert row["request"] == '["=1"]'


@pytest.mark.parametrize(
    "bad",
    [b'{x "seq":7,"ws":"x"}', b'{"a":' * 3_000 + b'"seq":7,"ws":"x"}', b'"\xff","seq":7,"ws":"x"}'],
)
def test_what_nobody_can_read_is_told_with_its_number_however_much_follows(
    folder: Folder, bad: bytes
) -> None:
    def lines() -> Iterator[bytes]:
        yield bad
        yield from endless()

    with pytest.raises(Broken, match=r"^Entry 7 cannot be read") as broken:
        written(folder, lines(), 2)
    assert broken.value.code == "C07"


def test_a_file_that_cannot_be_written_is_told_with_its_reason(folder: Folder) -> None:
    (folder.path / "entries.jsonl.gz").write_bytes(b"")
    with pytest.raises(FileExistsError):
        written(folder, endless(), 1)


def test_a_disk_that_is_full_is_told_with_its_reason(folder: Folder) -> None:
    with EntryFiles(folder, 1) as files:
        resource.prlimit(files._child.pid, resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            files.take(endless())


def test_a_process_that_is_killed_holds_nobody_up(folder: Folder) -> None:
    with EntryFiles(folder, 1) as files:
        files._child.kill()
        with pytest.raises(ChildProcessError, match="-9") as lost:
            files.take(endless())
        assert lost.value.strerror == "the process that writes entries ended with -9"
    with EntryFiles(folder, 1) as files:
        files._child.kill()
        with pytest.raises(ChildProcessError, match="-9"):
            files.end()


def test_who_gives_up_leaves_no_process(folder: Folder) -> None:
    with EntryFiles(folder, 1) as files:
        files.take([line(1)])
    assert files._child.returncode == -9


def test_the_process_knows_no_secret(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:secret@127.0.0.1/log")
    with EntryFiles(folder, 1) as files:
        environment = Path(f"/proc/{files._child.pid}/environ").read_bytes()
        names = {one.split(b"=")[0] for one in environment.split(b"\0") if one}
    assert names == {b"PATH", b"PYTHONPATH", b"PYTHONUTF8", b"TZ"}

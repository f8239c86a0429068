"""What we vendor is what VENDOR.md says, and nothing in it calls outside."""

import hashlib
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "message_center" / "static"
VENDOR = STATIC / "vendor"
ROW = re.compile(r"^\| (\S+/\S+) \| (\S+) \| (\S+) \| (\S+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)
LISTED = {file: (version, digest) for file, _, version, _, digest in ROW.findall(
    (VENDOR / "VENDOR.md").read_text("utf-8")
)}  # fmt: skip


@pytest.mark.parametrize("file", sorted(LISTED))
def test_a_file_has_the_hash_that_is_written_down(file: str) -> None:
    version, digest = LISTED[file]
    assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == digest
    assert file.split("/", maxsplit=1)[0].endswith(f"-{version}")


def test_every_vendored_file_is_written_down() -> None:
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    licences = {name for name in there if Path(name).name == "LICENSE"}
    assert there - licences - {"VENDOR.md"} == set(LISTED)
    assert {Path(name).parent for name in licences} == {Path(name).parent for name in LISTED}


def code(path: Path) -> str:
    """The file without the comment in which Tabler says whose it is."""
    return re.sub(r"/\*!.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)


def test_our_own_files_name_no_other_host() -> None:
    wrong = {
        path.name: found
        for path in (STATIC / "mc").iterdir()
        if (found := re.findall(r"https?://(?!www\.w3\.org/)\S+|url\(//", code(path)))
    }
    assert wrong == {}

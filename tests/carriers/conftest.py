"""The second carrier, installed from its package into a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.carriers.far_end import FarEnd

PACKAGE = Path(__file__).parent / "line_carrier"


@dataclass(frozen=True)
class Carrier:
    """Where the second carrier is installed, and the file that says how it behaves."""

    folder: Path
    mood_file: Path

    def is_now(self, mood: str) -> None:
        """Change how it behaves; empty is well."""
        self.mood_file.write_text(mood)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the package was installed into by a real installer, without a network."""
    folder = tmp_path_factory.mktemp("installed")
    uv = Path(sys.executable).parent / "uv"
    words = [str(uv), "pip", "install", "--quiet", "--offline", "--no-deps", "--no-cache"]
    words += ["--python", sys.executable, "--target", str(folder), str(PACKAGE)]
    subprocess.run(words, check=True, timeout=60)
    return folder


@pytest.fixture
def carrier(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Carrier:
    """The carrier, found in this process and in those that it starts."""
    monkeypatch.syspath_prepend(str(installed))
    paths = os.pathsep.join(filter(None, [str(installed), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("PYTHONPATH", paths)
    return Carrier(installed, tmp_path / "mood")


@pytest.fixture
def far_end() -> Iterator[FarEnd]:
    """What the carrier talks to."""
    with FarEnd() as running:
        yield running

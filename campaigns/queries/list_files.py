"""Where uploaded files lie, and what is in them."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

from campaigns.models import RecipientList
from campaigns.rules.encodings import HEAD_BYTES
from campaigns.rules.faults import FileFault
from campaigns.rules.layouts import Look, Wish, look

READ_BYTES = 262_144


def path_of(workspace: UUID, key: str) -> Path:
    """Return where a file lies: UPLOAD_DIR/<workspace uuid>/<file key>."""
    return Path(settings.UPLOAD_DIR) / str(workspace) / key


def file_of(lst: RecipientList) -> Path:
    """Return where the file of a list lies."""
    return path_of(lst.workspace.uuid, lst.file_key)


def received(lst: RecipientList) -> int:
    """Return how many bytes of a list's file have arrived."""
    try:
        return file_of(lst).stat().st_size
    except FileNotFoundError:
        return 0


def blocks(path: Path) -> Iterator[bytes]:
    """Yield a whole file in blocks."""
    with path.open("rb", buffering=0) as file:
        while block := file.read(READ_BYTES):
            yield block


def look_at(lst: RecipientList, country: str, wish: Wish | None = None) -> Look | FileFault:
    """Say what an uploaded file looks like. Raises FileNotFoundError when it is gone."""
    with file_of(lst).open("rb", buffering=0) as file:
        head = file.read(HEAD_BYTES)
    return look(head, lst.encoding, country, wish)

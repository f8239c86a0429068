"""The evidence of one message as a ZIP: the proof, how to verify it, with what, and in words."""

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from django.template.loader import render_to_string

import audit.verifier
from campaigns.actions.message_evidence import Taken
from workspaces.models import Workspace

VERIFIER = Path(audit.verifier.__file__).parent
# Name in the ZIP -> name beside the verifiers.
COPIES = {
    "VERIFY.txt": "VERIFY-MESSAGE.txt",
    "verify/verify_evidence.py": "verify_evidence.py",
    "verify/verify.html": "verify.html",
}


def zip_name(taken: Taken) -> str:
    """Return the file's name without its ending: it says which message, and not whose."""
    return f"evidence-{taken.campaign}-{taken.position}"


def zipped(taken: Taken, workspace: Workspace) -> bytes:
    """Return the ZIP; all of it lies in one folder."""
    context = {"taken": taken, "workspace": workspace, "last": last_lines(taken)}
    files = {
        "message.json": taken.proof,
        "summary.txt": render_to_string("evidence/summary.txt", context).encode(),
        **{name: (VERIFIER / kept).read_bytes() for name, kept in COPIES.items()},
    }
    target = BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"{zip_name(taken)}/{name}", data)
    return target.getvalue()


def last_lines(taken: Taken) -> list[dict[str, object]]:
    """Return what became of each attempt at last: later lines revise earlier ones."""
    last = {(line.says["attempt"], line.says["part"]): dict(line.says) for line in taken.lines}
    return [last[key] for key in sorted(last)]

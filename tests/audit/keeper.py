"""A site whose signing key lies in a file, which is replaced or lost."""

from datetime import timedelta
from pathlib import Path

from audit.actions.lost_key import replace_lost
from audit.actions.rotate_key import rotate
from audit.actions.signing_key import KeyFiles
from audit.queries import chains
from audit.queries.outside import look_outside
from audit.queries.verification import verify
from audit.rules.keyring import KeySpan
from audit.rules.notes import read_note
from tests.audit.conftest import Log
from tests.audit.make import NOW, append
from tests.audit.site import HOUR, SECRET, Site

DAY = timedelta(days=1)
WHY = "The disk of the signer failed"


class Keeper(Site):
    """A site whose signing key lies in a file, as an operator keeps it."""

    def __init__(self, log: Log, folder: Path) -> None:
        super().__init__(log, folder / "audit")
        self.files = KeyFiles(folder / "secrets" / "key.pem")
        self.hour = 0

    def sign_hours(self, count: int) -> None:
        """Let hours pass with a signer that was just started."""
        privates = self.files.load(may_create=self.folder.memory() is None)
        self.signer = self.start_signer(*privates)
        for _ in range(count):
            append(self.runtime, at=NOW + timedelta(hours=self.hour))
            self.sequence(self.hour * HOUR)
            self.sign()
            self.hour += 1
        assert self.signer is not None
        self.files.arrange(self.signer.present)

    def rotate(self, overlap: timedelta = DAY) -> KeySpan:
        """Replace the key at the present hour."""
        return rotate(
            self.folder, self.files, overlap=overlap, now=NOW + timedelta(hours=self.hour)
        )

    def signers(self) -> list[int]:
        """Return how many keys signed each checkpoint."""
        return [len(read_note(note or "").lines) for note in self.notes()]

    def lose(self, *, trusts: bool = False) -> KeySpan:
        """Declare the key lost at the present hour."""
        return replace_lost(
            self.log.connect("signer"),
            self.folder,
            self.files,
            why=WHY,
            now=NOW + timedelta(hours=self.hour),
            trusts_database=trusts,
        )

    def findings(self, folder: Path) -> list[str]:
        """Verify the log in the database with what the signer keeps; return the codes."""
        (folder / "nonce").write_bytes(SECRET)
        outside = look_outside(self.folder.path, folder / "nonce", None)
        reader = self.log.connect("exporter")
        chains.see_everything(reader)
        now = NOW + timedelta(hours=self.hour - 1)
        report = verify(reader, workspace=None, outside=outside, now=now)
        return [finding.code for finding in report.findings]

"""What an anchor is: somebody of another owner who keeps our checkpoints and says so.

Ours are in this folder. Others are found by the entry point group `message_center.anchors`: a
callable without arguments that returns an Anchor, or None while it is not set up.
"""

from datetime import timedelta
from typing import Protocol

from audit.rules.anchoring import Given, Last, SignedCheckpoint

GROUP = "message_center.anchors"


class Anchor(Protocol):
    """One anchor. It may take up to 40 seconds and is never called twice at a time."""

    @property
    def name(self) -> str:
        """A short word that never changes: it names the receipts."""

    @property
    def kind(self) -> str:
        """What its receipts are: `tsa`, `witness`, `file`, `mail`, `syslog`, or a word of its own.

        Receipts of the first two are what the published format names; they go into evidence.
        """

    @property
    def period(self) -> timedelta:
        """How long a receipt lasts before the next checkpoint goes out; 0 for every checkpoint."""

    def send(self, checkpoint: SignedCheckpoint, last: Last | None) -> Given:
        """Hand the checkpoint over and return the receipt; raise AnchorRefused or Unreachable."""

"""What a verification found, and what it had to compare with."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from audit.rules.chain import Broken
from audit.rules.memory import Memory
from audit.rules.notes import Checkpoint, VerifierKey


@dataclass(frozen=True)
class Finding:
    """Something wrong; a warning is for a person to judge."""

    code: str
    sentence: str
    is_warning: bool = False


@dataclass(frozen=True)
class Outside:
    """What lies outside the database: the more of it, the more is proved.

    `held` is a checkpoint that somebody kept, `memory` the signer's; `keys` verify checkpoints and
    `secret` ties the heads of epochs to the chains.
    """

    held: Checkpoint | None = None
    memory: Memory | None = None
    keys: tuple[VerifierKey, ...] = ()
    secret: bytes | None = None


@dataclass(frozen=True)
class VerifiedChain:
    """A chain that was recomputed to its end."""

    slot: int
    ws: UUID
    entry_count: int
    last_at: datetime | None
    is_whole: bool


@dataclass
class Report:
    """What was verified and what was found."""

    chains: list[VerifiedChain] = field(default_factory=list)
    epoch_count: int = 0
    waiting_count: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_broken(self) -> bool:
        """Say whether the log is not what was written."""
        return any(not finding.is_warning for finding in self.findings)

    @property
    def entry_count(self) -> int:
        """Return how many entries were recomputed."""
        return sum(chain.entry_count for chain in self.chains)

    @property
    def exit_code(self) -> int:
        """Return 0 when all is well, 1 when the log is broken, 2 when a person must judge."""
        if self.is_broken:
            return 1
        return 2 if self.findings else 0

    def broken(self, fault: Broken) -> None:
        """Add what a check found."""
        self.findings.append(Finding(fault.code, str(fault)))

    def warn(self, code: str, sentence: str) -> None:
        """Add something that a person must judge."""
        self.findings.append(Finding(code, sentence, is_warning=True))

"""What a check of the installation found."""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Finding:
    """What one check found: `bad` needs somebody now, `warn` soon. `code` names the check."""

    name: str
    tone: Tone
    sentence: str
    code: str = ""

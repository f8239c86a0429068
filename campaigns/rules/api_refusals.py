"""What the API refuses: a code that is stable, a sentence for people, and where in the call it is.

The table of HTTP statuses is in message_center/errors.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from workspaces.rules.refusal import Refusal

Place = Literal["pointer", "parameter", "header"]
MOST_FAULTS = 100


@dataclass(frozen=True)
class InputFault:
    """One thing that is wrong with a call.

    `name` is a JSON pointer into the body (RFC 6901), the name of a query parameter or of a header.
    """

    name: str
    code: str
    message: str
    place: Place = "pointer"

    def document(self) -> dict[str, str]:
        """Return it as a member of `errors`."""
        return {self.place: self.name, "code": self.code, "message": self.message}


def pointer(*steps: str) -> str:
    """Return the JSON pointer to a member of the body."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


@dataclass(frozen=True)
class More:
    """What a problem document says besides its sentence.

    `retry_after` is in seconds; `members` are added to the document.
    """

    faults: Sequence[InputFault] = ()
    retry_after: int | None = None
    members: Mapping[str, Any] = field(default_factory=dict)


class ApiRefused(Refusal):
    """A call of the API is refused; nothing was done."""

    def __init__(self, code: str, sentence: str, more: More | None = None) -> None:
        super().__init__(sentence, code=code)
        self.more = more or More()

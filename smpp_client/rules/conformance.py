"""A full check of a partner: what it consists of, what came of it, how many messages it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

# Segments of the steps that are always the same.
RECEIPT_MESSAGES: Final = 1
WRONG_MESSAGES: Final = 1
ALPHABET_MESSAGES: Final = 5
LONG_SEGMENTS: Final = 7
FIXED_MESSAGES: Final = RECEIPT_MESSAGES + WRONG_MESSAGES + ALPHABET_MESSAGES + LONG_SEGMENTS
LONGEST_RATE_SECONDS: Final = 3
LONGEST_LOAD_SECONDS: Final = 5
ABOVE_SECONDS: Final = 2
ABOVE_FACTOR: Final = 1.5
MOST_MESSAGES: Final = 50_000


class StepState(StrEnum):
    """What came of one step."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class Step:
    """One step: a sentence for people, and figures with their units in their names."""

    key: str
    title: str
    state: StepState
    sentence: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def figure_words(self) -> list[tuple[str, float | int | str]]:
        """The figures with names for people."""
        return [(name.replace("_", " "), value) for name, value in self.figures.items()]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "key": self.key,
            "title": self.title,
            "state": self.state.value,
            "sentence": self.sentence,
            # In their order, which a JSON object would lose in the database.
            "figures": [[name, value] for name, value in self.figures.items()],
            "seconds": round(self.seconds, 3),
        }


def read_step(row: Mapping[str, Any]) -> Step:
    """Return the step that `as_json` wrote."""
    return Step(
        row["key"],
        row["title"],
        StepState(row["state"]),
        row["sentence"],
        dict(row["figures"]),
        row["seconds"],
    )


@dataclass(frozen=True)
class CheckOptions:
    """What the person allows. Without `numbers` nothing is sent.

    `numbers` are E.164 digits, `sender` is what the messages come from, `messages` the most that
    may be sent, `is_above_rate` lets the partner be asked for more than its rate for two seconds.
    """

    numbers: tuple[str, ...] = ()
    sender: str = ""
    messages: int = 0
    is_above_rate: bool = False
    receipt_seconds: float = 30.0

    @property
    def sends(self) -> bool:
        """Whether anything may be sent."""
        return bool(self.numbers and self.sender and self.messages)


@dataclass(frozen=True)
class Volumes:
    """How much the steps that need many messages may take, in messages; 0 is too few to try."""

    window: int
    rate: int
    load: int
    above: int

    @property
    def total(self) -> int:
        """All messages of a check with these volumes."""
        return FIXED_MESSAGES + self.window + self.rate + self.load + self.above


def volumes(messages: int, rate: int, window: int, *, is_above_rate: bool = False) -> Volumes:
    """Share at most `messages` out: the window first, then whole seconds of the rate and the load.

    Less than a second at the rate shows nothing and is not tried. Each of the two gets a second
    before one of them gets more.
    """
    left = max(0, messages - FIXED_MESSAGES)
    filled = window if window <= left else 0
    left -= filled
    above = round(ABOVE_FACTOR * rate * ABOVE_SECONDS) if is_above_rate else 0
    above = above if above <= left - rate else 0
    left -= above
    seconds = left // rate
    loading = min(seconds, 2) // 2
    rating = min(LONGEST_RATE_SECONDS, seconds - loading)
    loading = min(LONGEST_LOAD_SECONDS, seconds - rating)
    return Volumes(filled, rating * rate, loading * rate, above)


def counts(steps: Sequence[Step]) -> dict[StepState, int]:
    """Return how many steps came to which end; every state has its count."""
    return {state: sum(step.state is state for step in steps) for state in StepState}


def masked(number: str) -> str:
    """Return a number that names nobody: country and operator, then the last two digits."""
    return f"+{number[:5]}{'•' * max(0, len(number) - 7)}{number[-2:]}"

"""The switches of the simulator: what it does on purpose, right or wrong. 0 means off."""

import re
from dataclasses import dataclass, field, fields, replace
from fnmatch import translate
from functools import cached_property
from typing import Any

MESSAGE_ID_FORMS = ("decimal", "hex", "uuid", "padded")
RECEIPT_ID_FORMS = ("same", "decimal", "hex", "padded", "upper")


class BadSwitch(ValueError):
    """A switch has no such name, or cannot hold this value."""


def _switch(default: Any, sentence: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"help": sentence, "choices": choices})


@dataclass(frozen=True)
class Faults:
    """One field per switch; the command line and the control port offer each by its name.

    "Every N" counts over all sessions; "after N" counts the submits of one session.
    """

    window: int = _switch(0, "unanswered submits allowed on a session; more are throttled (0x58)")
    receipts: bool = _switch(True, "send delivery receipts")
    receipt_delay: float = _switch(1.0, "seconds from the submit to its receipt")
    receipt_jitter: float = _switch(0.0, "up to this many seconds more, at random")
    receipt_window: int = _switch(200, "unacknowledged receipts allowed on a session")
    receipt_retry: float = _switch(1.0, "seconds until a receipt that was refused goes out again")
    throttle_every: int = _switch(0, "refuse every Nth submit with ESME_RTHROTTLED")
    throttle_above: float = _switch(0.0, "throttle what exceeds this rate within a clock second")
    queue_full_every: int = _switch(0, "refuse every Nth submit with ESME_RMSGQFUL")
    delay: float = _switch(0.0, "seconds between a submit and its response")
    refuse_bind: int = _switch(0, "refuse binds with this command_status")
    refuse_destination: tuple[tuple[str, int], ...] = _switch(
        (), "refuse submits to numbers that match PATTERN (* and ?) with the status CODE"
    )
    drop_after: int = _switch(0, "cut the connection at its Nth accepted submit, unanswered")
    silent_after: int = _switch(0, "accept all, but answer nothing from a session's Nth submit on")
    undeliverable_percent: float = _switch(0.0, "share of receipts that say UNDELIV, spread evenly")
    no_message_id: bool = _switch(False, "answer submits without a message_id")
    message_id: str = _switch("decimal", "form of the message_id in responses", MESSAGE_ID_FORMS)
    receipt_id: str = _switch("same", "form of the message_id in receipts", RECEIPT_ID_FORMS)
    receipt_first: bool = _switch(False, "send the receipt before the response, without delay")
    wrong_sequence_every: int = _switch(0, "answer every Nth submit with a foreign sequence number")
    duplicate_receipts: bool = _switch(False, "send every receipt twice")
    duplicate_response_every: int = _switch(0, "send every Nth response twice")
    sleep_before_bind: float = _switch(0.0, "seconds between a bind and its response")
    unbind_after: int = _switch(0, "send unbind at a session's Nth accepted submit")

    @cached_property
    def may_refuse(self) -> bool:
        """Whether a well-formed submit can be refused at all; false keeps the hot path short."""
        return bool(
            self.window
            or self.throttle_every
            or self.throttle_above
            or self.queue_full_every
            or self.refuse_destination
        )

    @cached_property
    def may_disturb(self) -> bool:
        """Whether responses can be wrong or sessions can end by a count."""
        return bool(
            self.wrong_sequence_every
            or self.duplicate_response_every
            or self.drop_after
            or self.silent_after
            or self.unbind_after
        )

    @cached_property
    def refused_numbers(self) -> tuple[tuple[re.Pattern[str], int], ...]:
        """`refuse_destination` with its patterns compiled."""
        return tuple((re.compile(translate(p)), code) for p, code in self.refuse_destination)


def switched(faults: Faults, changes: dict[str, Any]) -> Faults:
    """Return the switches with some changed; BadSwitch names the first that does not fit."""
    known = {each.name: each for each in fields(Faults)}
    for name, value in changes.items():
        if name not in known:
            raise BadSwitch(f"There is no switch {name!r}.")
        changes = changes | {name: _fitting(name, value, known[name].metadata["choices"])}
    return replace(faults, **changes)


def _fitting(name: str, value: Any, choices: tuple[str, ...]) -> Any:
    """Return the value in the type of the switch's default."""
    kind = type(getattr(Faults, name))
    try:
        fitting = _pairs(value) if kind is tuple else _plain(kind, value)
    except (TypeError, ValueError):
        raise BadSwitch(f"{name} cannot be {value!r}.") from None
    if choices and fitting not in choices:
        raise BadSwitch(f"{name} is one of {', '.join(choices)}, not {value!r}.")
    return fitting


def _plain(kind: type[Any], value: Any) -> Any:
    if (kind is bool) is not isinstance(value, bool):
        raise TypeError
    fitting = kind(value)
    if kind in {int, float} and (fitting < 0 or fitting != value):
        raise ValueError
    return fitting


def _pairs(value: Any) -> tuple[tuple[str, int], ...]:
    return tuple((str(pattern), int(code)) for pattern, code in value)

"""Which faults a campaign has, how many of each, in an order that the seed decides."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from tests.chaos.faults import (
    BadLink,
    ConnectionLoss,
    ConnectionLossBeside,
    DatabaseAway,
    DatabaseFreeze,
    DatabaseStop,
    Fault,
    Freeze,
    Kill,
    NoFiles,
    OptOuts,
    PauseAndResume,
    RowLock,
    SetUpAgain,
    Silent,
    Switches,
    Takeover,
    Terminate,
    TerminateWithoutDatabase,
    ValkeyFault,
    Verb,
)

SMSC: Sequence[Callable[[], Fault]] = (
    Silent,
    lambda: Switches("late answers", {"delay": 4.0}, seconds=1, budgets=1, disturbs=True),
    lambda: Switches("throttles every third", {"throttle_every": 3}),
    lambda: Switches("queue full every fifth", {"queue_full_every": 5}),
    lambda: Switches("throttles above a rate", {"throttle_above": 40.0}),
    lambda: Switches("drops after 20", {"drop_after": 20}, budgets=3, disturbs=True),
    lambda: Switches(
        "silent after 20", {"silent_after": 20}, budgets=2, disturbs=True, ends_with="drop"
    ),
    lambda: Switches("answers twice", {"duplicate_response_every": 2}),
    lambda: Switches("wrong sequence numbers", {"wrong_sequence_every": 5}, budgets=1),
    lambda: Switches("unbinds after 30", {"unbind_after": 30}, budgets=3, disturbs=True),
    lambda: Switches("receipts before answers", {"receipt_first": True}),
    lambda: Switches("receipts twice", {"duplicate_receipts": True}),
    lambda: Switches("no message ids", {"no_message_id": True}),
    lambda: Verb("drop"),
    lambda: Verb("unbind"),
    lambda: Verb("die"),
    lambda: BadLink("octets"),
    lambda: BadLink("slow"),
    lambda: BadLink("dead"),
    lambda: BadLink("half"),
    lambda: BadLink("reset"),
)
OTHERS: Sequence[Callable[[], Fault]] = (
    TerminateWithoutDatabase,
    NoFiles,
    DatabaseFreeze,
    DatabaseAway,
    SetUpAgain,
)
CUTS: Sequence[Callable[[], Fault]] = (ConnectionLoss, ConnectionLossBeside)
LOCKS = (("progress", 6.0), ("lease", 2.0), ("campaign", 3.0))


@dataclass(frozen=True)
class Programme:
    """How many of each."""

    kills: int = 40
    takeovers: int = 10
    terms: int = 5
    freezes: int = 5
    database_stops: int = 15
    connection_losses: int = 2
    locks: int = 3
    valkeys: int = 6
    smsc: int = 21
    people: int = 2
    others: int = 5

    def faults(self, dice: random.Random) -> list[Fault]:
        """Return all faults, shuffled."""
        plan: list[Fault] = [
            *(Kill() for _ in range(self.kills)),
            *(Takeover() for _ in range(self.takeovers)),
            *(Terminate() for _ in range(self.terms)),
            *(Freeze() for _ in range(self.freezes)),
            *(DatabaseStop() for _ in range(self.database_stops)),
            *(act() for _ in range(self.connection_losses) for act in CUTS),
            *(RowLock(*lock) for lock in islice(cycle(LOCKS), self.locks)),
            *(ValkeyFault(how) for how in islice(cycle(("flush", "stop", "hang")), self.valkeys)),
            *(make() for make in islice(cycle(SMSC), self.smsc)),
            *(act() for _ in range(self.people) for act in (PauseAndResume, OptOuts)),
            *(make() for make in islice(cycle(OTHERS), self.others)),
        ]
        dice.shuffle(plan)
        return plan

    def times(self, factor: float) -> "Programme":
        """Return a programme with so many times as many of each, at least one."""
        return Programme(**{name: max(1, round(n * factor)) for name, n in vars(self).items()})


SHORT = Programme()
SOAK = Programme(
    kills=450,
    takeovers=50,
    terms=20,
    freezes=20,
    database_stops=100,
    connection_losses=20,
    locks=9,
    valkeys=30,
    smsc=105,
    people=10,
    others=15,
)

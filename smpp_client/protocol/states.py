"""The states of a session and the one table of its moves (SMPP 3.4, 2.2)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from smpp_client.protocol.pdus import BindType


class State(StrEnum):
    """Where a session stands. `draining`: nothing new is sent, answers are still awaited."""

    OPEN = "open"
    BINDING = "binding"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    DRAINING = "draining"
    UNBINDING = "unbinding"
    CLOSED = "closed"


class Move(StrEnum):
    """What happens to a session."""

    BIND = "bind"
    ACCEPTED_TX = "accepted_tx"
    ACCEPTED_RX = "accepted_rx"
    ACCEPTED_TRX = "accepted_trx"
    DRAIN = "drain"
    UNBIND = "unbind"
    CLOSE = "close"


class WrongMove(ValueError):
    """The session cannot do this in its state."""


BOUND: Final = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})
MAY_SUBMIT: Final = frozenset({State.BOUND_TX, State.BOUND_TRX})
# Where the other side may be asked whether it is still there.
LIVE: Final = BOUND | {State.DRAINING}

ACCEPTED: Final[Mapping[BindType, Move]] = {
    BindType.TRANSMITTER: Move.ACCEPTED_TX,
    BindType.RECEIVER: Move.ACCEPTED_RX,
    BindType.TRANSCEIVER: Move.ACCEPTED_TRX,
}

MOVES: Final[Mapping[tuple[State, Move], State]] = {
    (State.OPEN, Move.BIND): State.BINDING,
    (State.BINDING, Move.ACCEPTED_TX): State.BOUND_TX,
    (State.BINDING, Move.ACCEPTED_RX): State.BOUND_RX,
    (State.BINDING, Move.ACCEPTED_TRX): State.BOUND_TRX,
    (State.BOUND_TX, Move.DRAIN): State.DRAINING,
    (State.BOUND_RX, Move.DRAIN): State.DRAINING,
    (State.BOUND_TRX, Move.DRAIN): State.DRAINING,
    (State.DRAINING, Move.UNBIND): State.UNBINDING,
    **{(state, Move.CLOSE): State.CLOSED for state in State if state is not State.CLOSED},
}


def moved(state: State, move: Move) -> State:
    """Return the next state. Raises WrongMove when the table has none."""
    following = MOVES.get((state, move))
    if following is None:
        raise WrongMove(f"A session that is {state} cannot {move}.")
    return following

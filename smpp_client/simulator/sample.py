"""A second opinion: smpplib decodes a sample of the PDUs that the hot path read and built."""

import logging
from typing import Any

from smpplib import smpp

from smpp_client.simulator.counters import Counters
from smpp_client.simulator.pdus import Submit

logger = logging.getLogger(__name__)


class Sample:
    """Compares every Nth PDU; a difference is logged with the octets and counted."""

    def __init__(self, every: int, counters: Counters) -> None:
        """Check every `every`-th PDU of each direction; 0 checks none."""
        self._every = every
        self._counters = counters
        self._submits = 0
        self._deliveries = 0

    def is_submit_due(self) -> bool:
        """Count one submit_sm and say whether it is to be checked."""
        self._submits += 1
        return bool(self._every) and self._submits % self._every == 1 % self._every

    def is_delivery_due(self) -> bool:
        """Count one deliver_sm and say whether it is to be checked."""
        self._deliveries += 1
        return bool(self._every) and self._deliveries % self._every == 1 % self._every

    def check_submit(self, pdu: bytes, sequence: int, submit: Submit) -> None:
        """Compare what the hot path read from a submit_sm with what smpplib reads."""
        parsed = _parsed(pdu)
        theirs = parsed and (
            parsed.sequence,
            _field(parsed.source_addr_ton, parsed.source_addr_npi, parsed.source_addr),
            _field(parsed.dest_addr_ton, parsed.dest_addr_npi, parsed.destination_addr),
            parsed.esm_class,
            parsed.registered_delivery,
            parsed.data_coding,
            parsed.short_message or parsed.message_payload or b"",
            -1 if parsed.user_message_reference is None else parsed.user_message_reference,
        )
        self._compare(pdu, theirs, (sequence, *submit))

    def check_delivery(self, pdu: bytes, sequence: int) -> None:
        """Ask smpplib whether a deliver_sm that we built is one, and is the one we meant."""
        parsed = _parsed(pdu)
        theirs = parsed and (parsed.command, parsed.sequence, parsed.length)
        self._compare(pdu, theirs, ("deliver_sm", sequence, len(pdu)))

    def _compare(self, pdu: bytes, theirs: Any, ours: tuple[Any, ...]) -> None:
        self._counters.pdus_checked += 1
        if theirs == ours:
            return
        self._counters.pdus_differing += 1
        logger.error("smpplib reads %s as %r, not %r", pdu.hex(), theirs, ours)


class _Numbers:
    """smpplib wants somebody to give it sequence numbers, even to parse."""

    sequence = 0

    def next_sequence(self) -> int:
        return self.sequence


def _parsed(pdu: bytes) -> Any:
    """Return smpplib's PDU, None when it cannot read the octets."""
    try:
        return smpp.parse_pdu(pdu, client=_Numbers(), allow_unknown_opt_params=True)
    # It leaks struct.error, ValueError, TypeError and errors of its own.
    except Exception:
        logger.exception("smpplib cannot read %s", pdu.hex())
        return None


def _field(ton: int, npi: int, address: bytes) -> bytes:
    return bytes((ton, npi)) + address + b"\0"

"""What the simulator counts while it runs; the control port shows these numbers."""

from dataclasses import dataclass


@dataclass
class Counters:
    """Totals since the start; the last four lines are states and peaks.

    `response_microseconds` is from the reading of each submit to the writing of its response, all
    together.
    """

    binds: int = 0
    binds_refused: int = 0
    submits: int = 0
    accepted: int = 0
    refused: int = 0
    responses: int = 0
    response_microseconds: int = 0
    receipts_sent: int = 0
    receipts_acknowledged: int = 0
    receipts_refused: int = 0
    enquire_links: int = 0
    enquire_links_answered: int = 0
    unbinds: int = 0
    bad_pdus: int = 0
    pdus_checked: int = 0
    pdus_differing: int = 0
    receipts_open: int = 0
    sessions_open: int = 0
    peak_sessions: int = 0
    peak_in_flight: int = 0

"""What the peer's numbers mean, and what a segment or a connection does about them.

command_status is SMPP 3.4, 5.1.3. Statuses from 0x400 are each operator's own: final unless the
connection's error table says otherwise, and always shown with their number.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class StatusClass(StrEnum):
    """What an error asks for.

    `final`: this segment will never pass. `later`: the same segment may pass after a while.
    `slow_down`: the link sends too fast, the segment was not looked at. `alarm`: nothing will pass
    until a person changes the account or the setup.
    """

    FINAL = "final"
    LATER = "later"
    SLOW_DOWN = "slow_down"
    ALARM = "alarm"


class Status(NamedTuple):
    """A command_status: its SMPP name, its class, a word and a sentence for people."""

    code: int
    name: str
    status_class: StatusClass
    word: str
    sentence: str


OK: Final = 0x00
SYSTEM_ERROR: Final = 0x08
THROTTLED: Final = 0x58
QUEUE_FULL: Final = 0x14

_F, _L, _S, _A = StatusClass.FINAL, StatusClass.LATER, StatusClass.SLOW_DOWN, StatusClass.ALARM

STATUSES: Final[Mapping[int, Status]] = MappingProxyType(
    {
        row[0]: Status(*row)
        for row in (
            (0x00, "ROK", _F, "accepted", "The SMSC accepted it."),
            (0x01, "RINVMSGLEN", _F, "bad message length", "The text is too long for the SMSC."),
            (0x02, "RINVCMDLEN", _F, "bad command length", "The SMSC could not read the request."),
            (0x03, "RINVCMDID", _A, "command not known", "The SMSC does not take this command."),
            (0x04, "RINVBNDSTS", _A, "not bound for this", "The bind does not allow sending."),
            (0x05, "RALYBND", _L, "already bound", "Another session holds this bind."),
            (0x06, "RINVPRTFLG", _F, "bad priority", "The SMSC does not take this priority."),
            (0x07, "RINVREGDLVFLG", _F, "bad receipt request", "The SMSC refuses receipts."),
            (0x08, "RSYSERR", _L, "system error", "The SMSC has a fault of its own."),
            (0x0A, "RINVSRCADR", _F, "bad sender", "The SMSC does not allow this sender."),
            (0x0B, "RINVDSTADR", _F, "bad number", "The SMSC does not take this number."),
            (0x0C, "RINVMSGID", _F, "bad message id", "The SMSC does not know this message."),
            (0x0D, "RBINDFAIL", _L, "bind failed", "The SMSC refused the bind without a reason."),
            (0x0E, "RINVPASWD", _A, "bad password", "The SMSC refused the password."),
            (0x0F, "RINVSYSID", _A, "bad system id", "The SMSC does not know this system id."),
            (0x11, "RCANCELFAIL", _F, "cancel failed", "The SMSC could not cancel it."),
            (0x13, "RREPLACEFAIL", _F, "replace failed", "The SMSC could not replace it."),
            (0x14, "RMSGQFUL", _S, "queue full", "The SMSC's queue for us is full."),
            (0x15, "RINVSERTYP", _A, "bad service type", "The SMSC refuses the service type."),
            (0x33, "RINVNUMDESTS", _F, "bad number count", "The SMSC refused the numbers."),
            (0x34, "RINVDLNAME", _F, "bad list", "The SMSC does not know this list."),
            (0x40, "RINVDESTFLAG", _F, "bad destination flag", "The SMSC refused the number."),
            (0x42, "RINVSUBREP", _F, "bad replace request", "The SMSC refused to replace."),
            (0x43, "RINVESMCLASS", _F, "bad message class", "The SMSC refused the header."),
            (0x44, "RCNTSUBDL", _F, "list refused", "The SMSC does not send to this list."),
            (0x45, "RSUBMITFAIL", _L, "submit failed", "The SMSC could not take it just now."),
            (0x48, "RINVSRCTON", _F, "bad sender type", "The SMSC refused the sender's type."),
            (0x49, "RINVSRCNPI", _F, "bad sender plan", "The SMSC refused the sender's plan."),
            (0x50, "RINVDSTTON", _F, "bad number type", "The SMSC refused the number's type."),
            (0x51, "RINVDSTNPI", _F, "bad number plan", "The SMSC refused the number's plan."),
            (0x53, "RINVSYSTYP", _A, "bad system type", "The SMSC refused the system type."),
            (0x54, "RINVREPFLAG", _F, "bad replace flag", "The SMSC refused the replace flag."),
            (0x55, "RINVNUMMSGS", _F, "bad message count", "The SMSC refused the count."),
            (0x58, "RTHROTTLED", _S, "throttled", "The SMSC asks us to send more slowly."),
            (0x61, "RINVSCHED", _F, "bad schedule", "The SMSC refused the delivery time."),
            (0x62, "RINVEXPIRY", _F, "bad validity", "The SMSC refused the validity period."),
            (0x63, "RINVDFTMSGID", _F, "bad stored text", "The SMSC has no such stored text."),
            (0x64, "RX_T_APPN", _L, "not now", "The receiving side has a passing fault."),
            (0x65, "RX_P_APPN", _F, "never", "The receiving side has a lasting fault."),
            (0x66, "RX_R_APPN", _F, "rejected", "The receiving side rejected it."),
            (0x67, "RQUERYFAIL", _F, "query failed", "The SMSC could not answer the query."),
            (0xC0, "RINVOPTPARSTREAM", _F, "bad option", "The SMSC could not read an option."),
            (0xC1, "ROPTPARNOTALLWD", _F, "option refused", "The SMSC does not allow an option."),
            (0xC2, "RINVPARLEN", _F, "bad option length", "The SMSC refused an option's length."),
            (0xC3, "RMISSINGOPTPARAM", _F, "option missing", "The SMSC misses an option."),
            (
                0xC4,
                "RINVOPTPARAMVAL",
                _F,
                "bad option value",
                "The SMSC refused an option's value.",
            ),
            (0xFE, "RDELIVERYFAILURE", _F, "delivery failed", "The SMSC could not deliver it."),
            (0xFF, "RUNKNOWNERR", _F, "unknown error", "The SMSC does not say what is wrong."),
        )
    }
)

# A bind that fails for these is tried again on its own; for any other, slowly and with an alarm.
_BIND_LATER: Final = frozenset({0x05, 0x08, 0x0D, 0x14, 0x45, 0x58, 0x64})


def status_of(status: int) -> Status:
    """Return the row of a command_status; unknown ones are final and named by their number."""
    known = STATUSES.get(status)
    if known is not None:
        return known
    word = "the SMSC's own error" if status >= 0x400 else "reserved error"
    sentence = f"The SMSC answered with a code of its own, 0x{status:X}."
    return Status(status, f"0x{status:X}", StatusClass.FINAL, word, sentence)


def explain(status: int) -> str:
    """Return the meaning with the number in brackets, as "throttled (0x58)"."""
    return f"{status_of(status).word} (0x{status:02X})"


def classify(status: int, overrides: Mapping[int, StatusClass] | None = None) -> StatusClass:
    """Return the class of a negative answer; a connection's own table comes first."""
    if overrides and status in overrides:
        return overrides[status]
    return status_of(status).status_class


def classify_bind(status: int) -> StatusClass:
    """Return `later` for a refused bind that may heal, else `alarm`: retrying would lock accounts.

    A code of the operator's own may be either; it is retried, and shown with its number.
    """
    return StatusClass.LATER if status in _BIND_LATER or status >= 0x400 else StatusClass.ALARM


class ReceiptError(NamedTuple):
    """An error of a delivery receipt: whether it may pass later, and a sentence for people."""

    is_passing: bool
    sentence: str


# MAP user errors (3GPP 29.002), which most SMSCs put into `err`. Others number them otherwise, so
# a connection's own table comes first and nothing is decided from these but a sentence.
RECEIPT_ERRORS: Final[Mapping[int, ReceiptError]] = MappingProxyType(
    {
        1: ReceiptError(is_passing=False, sentence="The number is not in use."),
        5: ReceiptError(is_passing=False, sentence="The number is not known to the network."),
        6: ReceiptError(is_passing=True, sentence="The phone is off or out of reach."),
        9: ReceiptError(is_passing=False, sentence="The subscriber is barred."),
        11: ReceiptError(is_passing=False, sentence="The subscriber has no SMS service."),
        12: ReceiptError(is_passing=False, sentence="The phone is barred."),
        13: ReceiptError(is_passing=False, sentence="Calls to the subscriber are barred."),
        21: ReceiptError(is_passing=False, sentence="The network does not support SMS."),
        27: ReceiptError(is_passing=True, sentence="The phone is off or out of reach."),
        31: ReceiptError(is_passing=True, sentence="The phone was busy with another SMS."),
        32: ReceiptError(is_passing=True, sentence="The phone could not take the SMS."),
        33: ReceiptError(is_passing=True, sentence="Too many SMS wait for this phone."),
        34: ReceiptError(is_passing=True, sentence="The network had a fault."),
    }
)


# What is said instead where a connection's own table knows the code. The message was taken by the
# partner, so none of these sends it again.
OWN_RECEIPT_ERRORS: Final[Mapping[StatusClass, str]] = MappingProxyType(
    {
        _F: "The network gave an error that will not pass.",
        _L: "The network gave an error that may pass; the message is not sent again by itself.",
        _S: "The network was asked for too much at a time.",
        _A: "The network gave an error that somebody has to see to.",
    }
)


def explain_receipt(error: str, own: StatusClass | None = None) -> str:
    """Return a sentence for a receipt's `err`, with the raw value in brackets; "" for none.

    `own` is the class that the connection's own table gives it.
    """
    code = int(error) if error.isascii() and error.isdigit() and len(error) <= 6 else None
    if not error or code == 0:
        return ""
    if own is not None:
        return f"{OWN_RECEIPT_ERRORS[own]} ({error})"
    known = RECEIPT_ERRORS.get(code) if code is not None else None
    return f"{known.sentence if known else 'The network gave an error.'} ({error})"


class ClassesRefused(ValueError):
    """A line of an error table that cannot be read; the sentence names it."""


def read_status_classes(text: str) -> dict[str, str]:
    """Read a table of command_status, one `code class` a line, as it is stored.

    Codes are hexadecimal (0x0400) or decimal and are stored as "0x400". Raises ClassesRefused.
    """
    return _read_classes(text, _status_code)


def read_receipt_classes(text: str) -> dict[str, str]:
    """Read a table of the codes in receipts, one `code class` a line, as it is stored.

    Codes are letters and digits as the partner writes them; leading zeros do not count. Raises
    ClassesRefused.
    """
    return _read_classes(text, _receipt_code)


def written_classes(table: Mapping[str, str]) -> str:
    """Return a stored table as people write it, one code a line."""
    return "\n".join(f"{code} {word.replace('_', ' ')}" for code, word in table.items())


def status_classes(table: Mapping[str, str]) -> dict[int, StatusClass]:
    """Return a stored table by number."""
    return {int(code, 16): StatusClass(word) for code, word in table.items()}


def classify_receipt(error: str, table: Mapping[str, str]) -> StatusClass | None:
    """Return the class that a connection's own table gives a receipt's code; None without one."""
    word = table.get(_canonical(error)) if table and error else None
    return None if word is None else StatusClass(word)


def _read_classes(text: str, read_code: Callable[[str], str | None]) -> dict[str, str]:
    table: dict[str, str] = {}
    for line in (line.strip() for line in text.splitlines()):
        if not line:
            continue
        written, _, word = line.replace("\t", " ").partition(" ")
        code = read_code(written)
        status_class = word.strip().lower().replace(" ", "_").replace("-", "_")
        if code is None or status_class not in set(StatusClass):
            raise ClassesRefused(
                f"“{line}”: write a code and one of final, later, slow down, alarm."
            )
        if code in table:
            raise ClassesRefused(f"{written} stands there twice.")
        table[code] = status_class
    return table


def _status_code(text: str) -> str | None:
    try:
        code = int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError:
        return None
    return f"0x{code:X}" if 0 < code <= 0xFFFFFFFF else None


def _receipt_code(text: str) -> str | None:
    is_code = text.isascii() and text.isalnum() and len(text) <= 20
    return _canonical(text) if is_code else None


def _canonical(error: str) -> str:
    return str(int(error)) if error.isascii() and error.isdigit() else error.upper()

"""Steps that send a message or two: receipts, long messages, alphabets, a wrong number."""

import asyncio
import time
from collections.abc import Sequence

from django.utils.translation import gettext as _
from smpplib import consts

from smpp_client.carrier import Segment
from smpp_client.engine.conformance.bench import (
    ANSWER_SECONDS,
    Bench,
    Failed,
    Figures,
    NotTried,
    is_taken,
    refusals,
)
from smpp_client.engine.conformance.probe import is_pair
from smpp_client.engine.conformance.session_steps import Told
from smpp_client.protocol.events import Settled
from smpp_client.protocol.framing import HEADER, HEADER_SIZE
from smpp_client.protocol.pdus import SubmitEncoder, read_submit_response
from smpp_client.protocol.receipts import ReadReceipt
from smpp_client.protocol.tlvs import (
    MESSAGE_PAYLOAD,
    SAR_REFERENCE,
    SAR_SEGMENT,
    SAR_TOTAL,
)
from smpp_client.rules.addresses import TON_INTERNATIONAL, Address
from smpp_client.rules.errors import explain
from smpp_client.rules.message_ids import IdRule
from smpp_client.rules.segments import Alphabet

LATIN1_CODING = 3
# What both alphabets of data coding 0 hold, and what only GSM 03.38 does.
COMMON = "@£$¥èéùìòÇØøÅå_ÆæßÉ!\"#%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà"
GREEK = "ΔΦΓΛΩΠΨΣΘΞ¤"
EXTENSION = "^{}\\[~]|€"
LATIN1 = "Café, Zürich, São Paulo, Åre, ½, ¶, þ"
WIDE = "Проверка: кириллица, oʻzbekcha, Ελληνικά, 中文"
EMOJI = "Check 👍🏽 👨‍👩‍👧 ✅ 🇺🇿"
LONG = (
    "This message of the check is longer than one segment. It must arrive as one message,"
    " with nothing between its parts and nothing lost: first part, second part, and the last"
    " words are: all is here."
)
# Too short to be anybody's.
WRONG_NUMBER = Address(TON_INTERNATIONAL, 1, "1")
LOST_SECONDS = 2.0


async def _send(bench: Bench, text: str, segments: Sequence[Segment]) -> list[Settled]:
    settled = await bench.submit(segments)
    if not all(map(is_taken, settled)):
        raise Failed(_("The partner refused it: %s.") % refusals(settled))
    bench.texts.append(text)
    return settled


def _taken(settled: Sequence[Settled]) -> Told:
    worst = round(1000 * max(one.seconds for one in settled))
    figures: Figures = {"segments": len(settled), "slowest_ms": worst}
    if len(settled) == 1:
        return _("Accepted after %s ms. Compare it on the phone.") % worst, figures
    said = _("All %(n)s segments accepted, the slowest after %(ms)s ms. Compare it on the phone.")
    return said % {"n": len(settled), "ms": worst}, figures


# Receipts


async def receipts(bench: Bench) -> Told:
    """The first message, its receipt, and how their ids relate."""
    text = "Message Center check: the first message."
    (settled,) = await _send(bench, text, bench.message(text))
    if not settled.smsc_id:
        raise Failed(_("Accepted without a message id: no receipt can be matched."))
    began = time.monotonic()
    found = await _first_receipt(bench, settled.smsc_id)
    if found is None:
        raise _no_receipt(bench, settled.smsc_id)
    receipt, at = found
    seconds = max(0.0, at - began)
    figures: Figures = {
        "response_ms": round(1000 * settled.seconds),
        "receipt_seconds": round(seconds, 2),
        "state": receipt.state,
        "response_id": settled.smsc_id,
        "receipt_id": receipt.smsc_id,
        "rule": bench.account.session.id_rule.value,
    }
    said = _("The receipt came after %(s)s s, says “%(state)s”, and its id fits the response's.")
    if receipt.is_unmarked:
        said += " " + _("It comes as an ordinary message, without the mark of a receipt.")
    return said % {"s": f"{seconds:.1f}", "state": receipt.state}, figures


async def _first_receipt(bench: Bench, smsc_id: str) -> tuple[ReadReceipt, float] | None:
    rule = bench.account.session.id_rule
    ends = time.monotonic() + bench.options.receipt_seconds
    while time.monotonic() < ends:
        for receipt, at in bench.receipts():
            if is_pair(smsc_id, receipt.smsc_id, rule):
                return receipt, at
        await asyncio.sleep(0.05)
    return None


def _no_receipt(bench: Bench, smsc_id: str) -> Exception:
    """Say why there was none: another rule of ids, the sender's session, or the partner."""
    for receipt, _at in bench.receipts():
        fitting = [rule.value for rule in IdRule if is_pair(smsc_id, receipt.smsc_id, rule)]
        if bench.owns(receipt) and fitting:
            said = _(
                "The receipt's id %(theirs)s fits the response's %(ours)s by the rule “%(rule)s”."
            )
            return Failed(
                said % {"theirs": receipt.smsc_id, "ours": smsc_id, "rule": fitting[0]},
                {"response_id": smsc_id, "receipt_id": receipt.smsc_id, "fitting": fitting[0]},
            )
        if bench.owns(receipt):
            said = _("The receipt's id %(theirs)s fits the response's %(ours)s by no rule.")
            return Failed(said % {"theirs": receipt.smsc_id, "ours": smsc_id})
    if bench.is_beside:
        return NotTried(
            _(
                "No receipt came to the check's session; the sender is bound beside it and may have"
                " got it. Disable the connection and check again."
            )
        )
    return Failed(_("No receipt came within %g s.") % bench.options.receipt_seconds)


# Long messages


async def long_udh(bench: Bench) -> Told:
    """Parts with an 8-bit reference in their header."""
    text = f"Check (header). {LONG}"
    return _taken(await _send(bench, text, bench.message(text)))


async def long_udh_wide(bench: Bench) -> Told:
    """Parts with a 16-bit reference."""
    text = f"Check (wide header). {LONG}"
    return _taken(await _send(bench, text, bench.message(text, is_wide=True)))


async def long_sar(bench: Bench) -> Told:
    """Parts with sar_* options and no header."""
    text = f"Check (options). {LONG}"
    headed = bench.message(text)
    reference = int(time.time()) & 0xFFFF
    seconds = 0.0
    for number, part in enumerate(headed, 1):
        bare = part._replace(short_message=part.short_message[6:], has_header=False)
        options = (
            _option(SAR_REFERENCE, reference.to_bytes(2, "big"))
            + _option(SAR_TOTAL, bytes((len(headed),)))
            + _option(SAR_SEGMENT, bytes((number,)))
        )
        seconds = max(seconds, await _submit_with(bench, bare, options))
    bench.texts.append(text)
    figures: Figures = {"segments": len(headed), "slowest_ms": round(1000 * seconds)}
    return _("All %s segments accepted. Compare it on the phone.") % len(headed), figures


async def long_payload(bench: Bench) -> Told:
    """The whole text in message_payload."""
    text = f"Check (payload). {LONG}"
    octets = b"".join(part.short_message[6:] for part in bench.message(text))
    option = _option(MESSAGE_PAYLOAD, octets)
    seconds = await _submit_with(bench, bench.segment(b"", 0), option)
    bench.texts.append(text)
    figures: Figures = {"octets": len(octets), "slowest_ms": round(1000 * seconds)}
    return _("Accepted as one submit_sm. Compare it on the phone."), figures


def _option(tag: int, value: bytes) -> bytes:
    return tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


async def _submit_with(bench: Bench, segment: Segment, options: bytes) -> float:
    """Submit one segment with options of its own; return the seconds to its answer."""
    probe = await bench.sender()
    encoder = SubmitEncoder()

    def make(sequence: int) -> bytes:
        body = encoder.encode(segment, sequence)[HEADER_SIZE:] + options
        return HEADER.pack(HEADER_SIZE + len(body), 0x00000004, 0, sequence) + body

    bench.sent_count += 1
    try:
        frame, seconds = await probe.wire.ask(make, ANSWER_SECONDS)
    except TimeoutError as error:
        raise Failed(_("The partner did not answer within %g s.") % ANSWER_SECONDS) from error
    if frame[1]:
        raise Failed(_("The partner refused it: %s.") % explain(frame[1]))
    bench.remember_id(read_submit_response(frame[3]))
    return seconds


# Alphabets


async def gsm_basic(bench: Bench) -> Told:
    """The characters of data coding 0, as this connection understands it."""
    is_gsm = bench.account.session.alphabet is Alphabet.GSM
    text = f"Check: {COMMON}{GREEK if is_gsm else ''}"
    return _taken(await _send(bench, text, bench.message(text)))


async def gsm_extension(bench: Bench) -> Told:
    """Characters that take two septets."""
    if bench.account.session.alphabet is not Alphabet.GSM:
        raise NotTried(_("This partner takes data coding 0 for Latin-1, which has no extension."))
    text = f"Check: {EXTENSION}"
    return _taken(await _send(bench, text, bench.message(text)))


async def latin1(bench: Bench) -> Told:
    """Data coding 3."""
    octets = LATIN1.encode("latin-1")
    return _taken(await _send(bench, LATIN1, [bench.segment(octets, LATIN1_CODING)]))


async def ucs2(bench: Bench) -> Told:
    """Data coding 8."""
    return _taken(await _send(bench, WIDE, bench.message(WIDE)))


async def emoji(bench: Bench) -> Told:
    """Surrogate pairs and joined characters."""
    return _taken(await _send(bench, EMOJI, bench.message(EMOJI)))


# A wrong number


async def wrong_number(bench: Bench) -> Told:
    """A number that cannot be anybody's is refused, and the session goes on."""
    text = "Message Center check: nobody should get this."
    (segment,) = bench.message(text)
    (settled,) = await bench.submit([segment._replace(destination=WRONG_NUMBER)])
    probe = await bench.sender()
    await asyncio.sleep(0.2)
    if probe.told.closed is not None:
        raise Failed(_("The partner ended the session over a wrong number."))
    if is_taken(settled):
        raise Failed(
            _("The partner accepted the number +1. Such numbers will come back by receipt only.")
        )
    is_right = settled.status == consts.SMPP_ESME_RINVDSTADR
    said = _("Refused with %s, and the session goes on.") % explain(settled.status)
    if not is_right:
        said += " " + _("Usual is 0x0B (invalid destination address).")
    return said, {"status": f"0x{settled.status:02X}"}

"""Steps that send many messages: the window, the rate, more than the rate, a short load."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from django.utils.translation import gettext as _

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
from smpp_client.engine.conformance.probe import Probe
from smpp_client.engine.conformance.session_steps import Told
from smpp_client.protocol import pdus
from smpp_client.protocol.events import Settled
from smpp_client.rules.conformance import ABOVE_FACTOR, ABOVE_SECONDS
from smpp_client.rules.errors import StatusClass, classify

TICK_SECONDS = 0.005
# A rate is met when it is at most this much below.
TOLERANCE = 0.95
BACK_SECONDS = 10.0


def _quiet(bench: Bench, count: int, needed: int) -> None:
    """Refuse what would disturb the sender, and what the person did not allow."""
    bench.next_number()
    if not count:
        raise NotTried(_("It needs %s more messages than were allowed.") % needed)
    if bench.is_busy:
        raise NotTried(_("The sender is sending over this connection now."))


async def window(bench: Bench) -> Told:
    """As many unanswered segments at once as the connection is configured for."""
    count = bench.shares.window
    _quiet(bench, count, bench.account.window)
    began = time.monotonic()
    settled = await bench.submit(bench.numbered("window", count))
    seconds = time.monotonic() - began
    figures = _figures(settled, seconds)
    if not all(map(is_taken, settled)):
        said = _("Of %(n)s at once the partner took %(taken)s: %(said)s.")
        taken = sum(map(is_taken, settled))
        raise Failed(said % {"n": count, "taken": taken, "said": refusals(settled)}, figures)
    said = _("All %(n)s segments at once were accepted, the last after %(ms)s ms.")
    return said % {"n": count, "ms": round(1000 * seconds)}, figures


async def rate(bench: Bench) -> Told:
    """The configured rate for a few seconds."""
    count, per_second = bench.shares.rate, bench.account.rate
    _quiet(bench, count, per_second)
    settled, seconds = await _paced(bench, bench.numbered("rate", count), per_second)
    figures = _figures(settled, seconds)
    _judge(settled, count, figures)
    reached = float(figures["per_second"])
    if reached < TOLERANCE * per_second:
        said = _("Only %(reached)s of %(rate)s segments/s: the window of %(window)s is too small.")
        values = {"reached": round(reached), "rate": per_second, "window": bench.account.window}
        raise Failed(said % values, figures)
    said = _("%(reached)s segments/s for %(s)s s, none refused; 95 %% were answered in %(ms)s ms.")
    ms = figures["response_ms_p95"]
    return said % {"reached": round(reached), "s": f"{seconds:.1f}", "ms": ms}, figures


async def above_rate(bench: Bench) -> Told:
    """More than the rate for a moment: throttled cleanly, or taken; never a broken session."""
    if not bench.options.is_above_rate:
        raise NotTried(_("It may annoy the partner and was not asked for."))
    per_second = round(ABOVE_FACTOR * bench.account.rate)
    _quiet(bench, bench.shares.above, per_second * ABOVE_SECONDS)
    segments = bench.numbered("above the rate", bench.shares.above)
    settled, seconds = await _paced(bench, segments, per_second)
    figures = _figures(settled, seconds)
    others = [one for one in settled if not is_taken(one) and not _is_throttle(one)]
    if others or len(settled) < len(segments):
        why = refusals(others) or _("no answer")
        raise Failed(_("Above the rate the partner does more than throttle: %s.") % why, figures)
    if all(map(is_taken, settled)):
        return _("The partner takes %s segments/s without a word.") % per_second, figures
    return _("Throttled cleanly: %s. The session goes on.") % refusals(settled), figures


async def load(bench: Bench) -> Told:
    """A short load at the rate, with enquire_link in between, and its receipts."""
    count, per_second = bench.shares.load, bench.account.rate
    _quiet(bench, count, per_second)
    probe = await bench.sender()
    asking = asyncio.create_task(_ask_on(probe))
    try:
        settled, seconds = await _paced(bench, bench.numbered("load", count), per_second)
    finally:
        asking.cancel()
    answered = probe.wire.commands[pdus.ENQUIRE_LINK_RESP]
    back = await _receipts_back(bench, settled)
    figures = {**_figures(settled, seconds), "receipts": back, "enquire_link_answers": answered}
    _judge(settled, count, figures)
    said = _("%(n)s segments in %(s)s s, none refused, %(back)s receipts came back meanwhile.")
    return said % {"n": count, "s": f"{seconds:.1f}", "back": back}, figures


async def _ask_on(probe: Probe) -> None:
    while True:
        await probe.wire.ask(
            lambda sequence: pdus.header_only(pdus.ENQUIRE_LINK, 0, sequence), ANSWER_SECONDS
        )
        await asyncio.sleep(0.5)


async def _receipts_back(bench: Bench, settled: Sequence[Settled]) -> int:
    ends = time.monotonic() + min(BACK_SECONDS, bench.options.receipt_seconds)
    while (count := bench.receipt_count(settled)) < len(settled) and time.monotonic() < ends:
        await asyncio.sleep(0.1)
    return count


async def _paced(
    bench: Bench, segments: Sequence[Segment], per_second: float
) -> tuple[list[Settled], float]:
    """Submit at a rate as far as the window allows; return outcomes, and the seconds from the
    first to the end of the last one's share. Raises NotTried, Failed.
    """
    probe = await bench.sender()
    began, sent = time.monotonic(), 0
    while sent < len(segments):
        due = int((time.monotonic() - began) * per_second) + 1 - sent
        count = min(due, probe.wire.session.free, len(segments) - sent)
        if count > 0:
            probe.wire.submit(segments[sent : sent + count])
            sent += count
            bench.sent_count += count
        if probe.told.closed is not None:
            raise Failed(_("The session ended: %s") % probe.told.closed.reason)
        await asyncio.sleep(TICK_SECONDS)
    seconds = max(time.monotonic() - began, len(segments) / per_second)
    settled = await probe.settle(segments, ANSWER_SECONDS)
    bench.remember(settled)
    return settled, seconds


def _judge(settled: Sequence[Settled], count: int, figures: Figures) -> None:
    if len(settled) < count:
        said = _("Only %(n)s of %(count)s were answered.")
        raise Failed(said % {"n": len(settled), "count": count}, figures)
    if not all(map(is_taken, settled)):
        raise Failed(_("At this rate the partner refused: %s.") % refusals(settled), figures)


def _is_throttle(settled: Settled) -> bool:
    return classify(settled.status) is StatusClass.SLOW_DOWN


def _figures(settled: Sequence[Settled], seconds: float) -> dict[str, float | int | str]:
    """Return counts, the rate and the times of answers."""
    times = sorted(one.seconds for one in settled if one.seconds) or [0.0]
    kinds = Counter(is_taken(one) for one in settled)
    return {
        "segments": len(settled),
        "accepted": kinds[True],
        "refused": kinds[False],
        "seconds": round(seconds, 2),
        "per_second": round(len(settled) / seconds, 1) if seconds else 0.0,
        "response_ms_p50": _percentile(times, 0.50),
        "response_ms_p95": _percentile(times, 0.95),
        "response_ms_p99": _percentile(times, 0.99),
    }


def _percentile(times: Sequence[float], share: float) -> int:
    return round(1000 * times[int(share * (len(times) - 1))])

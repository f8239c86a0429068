"""All steps of a full check, in their order."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smpp_client.engine.conformance import message_steps, session_steps, volume_steps
from smpp_client.engine.conformance.bench import Bench, Failed, NotTried
from smpp_client.engine.conformance.probe import NoBind
from smpp_client.rules.conformance import Step, StepState

# A step that takes longer is stuck; the whole check ends well within a task's time.
STEP_SECONDS = 60.0
CHECK_SECONDS = 200.0

log = structlog.get_logger(__name__)
Act = Callable[[Bench], Awaitable[session_steps.Told]]

STEPS: tuple[tuple[str, Promise | str, Act], ...] = (
    ("certificates", gettext_lazy("Our certificate"), session_steps.certificates),
    ("tls", gettext_lazy("TLS"), session_steps.tls),
    ("wrong_name", gettext_lazy("Another name"), session_steps.wrong_name),
    ("no_certificate", gettext_lazy("Without our certificate"), session_steps.no_certificate),
    ("bind_transmitter", gettext_lazy("Bind as transmitter"), session_steps.bind_transmitter),
    ("bind_receiver", gettext_lazy("Bind as receiver"), session_steps.bind_receiver),
    ("bind_transceiver", gettext_lazy("Bind as transceiver"), session_steps.bind_transceiver),
    ("enquire_link", gettext_lazy("enquire_link"), session_steps.enquire_link),
    ("receipts", gettext_lazy("A message and its receipt"), message_steps.receipts),
    ("long_udh", gettext_lazy("Long message, header"), message_steps.long_udh),
    ("long_udh_wide", gettext_lazy("Long message, wide header"), message_steps.long_udh_wide),
    ("long_sar", gettext_lazy("Long message, sar_* options"), message_steps.long_sar),
    ("long_payload", gettext_lazy("Long message, message_payload"), message_steps.long_payload),
    ("gsm_basic", gettext_lazy("Alphabet: data coding 0"), message_steps.gsm_basic),
    ("gsm_extension", gettext_lazy("Alphabet: GSM extension"), message_steps.gsm_extension),
    ("latin1", gettext_lazy("Alphabet: Latin-1"), message_steps.latin1),
    ("ucs2", gettext_lazy("Alphabet: UCS-2"), message_steps.ucs2),
    ("emoji", gettext_lazy("Alphabet: emoji"), message_steps.emoji),
    ("wrong_number", gettext_lazy("A wrong number"), message_steps.wrong_number),
    ("window", gettext_lazy("Window"), volume_steps.window),
    ("rate", gettext_lazy("Rate"), volume_steps.rate),
    ("load", gettext_lazy("Short load"), volume_steps.load),
    ("above_rate", gettext_lazy("Above the rate"), volume_steps.above_rate),
    ("unbind", gettext_lazy("Unbind"), session_steps.unbind),
    ("reconnect", gettext_lazy("Reconnect"), session_steps.reconnect),
    ("after_break", gettext_lazy("After a broken connection"), session_steps.after_break),
    ("failover", gettext_lazy("Further hosts"), session_steps.failover),
)


async def run_steps(bench: Bench, tell: Callable[[Step], None]) -> None:
    """Go through all steps and tell each as it ends. Nothing a partner does stops the rest."""
    ends = time.monotonic() + CHECK_SECONDS
    try:
        for key, title, act in STEPS:
            if time.monotonic() >= ends:
                late = _("The check took too long; this was not begun.")
                tell(Step(key, str(title), StepState.NOT_TRIED, late))
                continue
            tell(await _tried(bench, key, str(title), act))
    finally:
        await bench.close()


async def _tried(bench: Bench, key: str, title: str, act: Act) -> Step:
    began = time.monotonic()

    def ended(state: StepState, sentence: str, figures: object = None) -> Step:
        told = dict(figures) if isinstance(figures, dict) else {}
        return Step(key, title, state, sentence, told, time.monotonic() - began)

    try:
        async with asyncio.timeout(STEP_SECONDS):
            sentence, figures = await act(bench)
    except Failed as failed:
        return ended(StepState.FAILED, failed.sentence, failed.figures)
    except NotTried as skipped:
        return ended(StepState.NOT_TRIED, skipped.sentence)
    except NoBind as refused:
        return ended(StepState.FAILED, refused.sentence)
    except TimeoutError:
        return ended(StepState.FAILED, _("It did not end within %g s.") % STEP_SECONDS)
    return ended(StepState.PASSED, sentence, figures)

"""What the sessions of one slot tell, turned into outcomes, receipts, messages, and what people are
shown. Where it concerns the session's life, the slot hears it.
"""

from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _

from smpp_client.carrier import Kind, Outcome, Segment
from smpp_client.engine.accounts import Account
from smpp_client.engine.books import OutcomeBook
from smpp_client.engine.clock import Moments
from smpp_client.engine.crew import Crew
from smpp_client.engine.faults import PeerFaults
from smpp_client.engine.feeder import Feeder
from smpp_client.engine.inbox import Inbox
from smpp_client.engine.receipt_codes import ReceiptCodes
from smpp_client.engine.refusals import Refusals
from smpp_client.engine.reporter import Reporter
from smpp_client.protocol.events import (
    BindRefused,
    Bound,
    Closed,
    Event,
    HealthTold,
    LateResponse,
    MessageReceived,
    PeerAnswers,
    PeerSilent,
    ProtocolFault,
    ReceiptReceived,
    Settled,
    Throttled,
)
from smpp_client.rules.errors import StatusClass, classify

Life = Bound | BindRefused | Closed


class Hearing:
    """Takes each event of a session, in the order in which they happened.

    `on_life` is told when a session begins, is refused, or is over and its last outcomes are
    written down.
    """

    def __init__(
        self,
        account: Account,
        reporter: Reporter,
        feeder: Feeder,
        crew: Crew,
        on_life: Callable[[Life], None],
    ) -> None:
        self.faults = PeerFaults()
        self._account = account
        self._reporter = reporter
        self._feeder = feeder
        self._on_life = on_life
        self._refusals = Refusals(feeder)
        self._receipt_codes = ReceiptCodes(reporter, crew)
        self._book: OutcomeBook | None = None
        self._inbox: Inbox | None = None
        self._health, self._is_silent = "", False
        self._moments = Moments()

    def follow(self, account: Account) -> None:
        """Take other settings of the same connection from now on."""
        self._account = account

    def begin_lease(self, book: OutcomeBook, inbox: Inbox) -> None:
        """Write down what comes from now on here."""
        self._book, self._inbox = book, inbox

    def take(self, event: Event) -> None:
        """Take one event."""
        match event:
            case Settled():
                self._settled(event)
            case ReceiptReceived():
                self._receipt(event)
            case LateResponse():
                self._late(event)
            case Throttled():
                self._reporter.seen.throttled += 1
                self._feeder.slow_down(event.status, event.written_at)
            case _:
                self._take_rare(event)

    def release(self, segments: Sequence[Segment], cause: str) -> None:
        """Give back segments of which no octet was written."""
        for segment in segments:
            self._outcome(segment, Kind.RELEASED, 0, "", cause)

    def _take_rare(self, event: Event) -> None:
        match event:
            case MessageReceived():
                assert self._inbox is not None
                self._inbox.add_message(event)
            case ProtocolFault():
                self.faults.add(self._account.name, event.sentence)
            case HealthTold() | PeerSilent() | PeerAnswers():
                self._on_health(event)
            case Bound():
                self._is_silent = False
                self._show_bound("")
                self._on_life(event)
            case BindRefused():
                self._on_life(event)
            case Closed():
                self._closed(event)
            case _:
                pass

    # Outcomes

    def _settled(self, event: Settled) -> None:
        if self._refusals.read(event, self._account.session.status_classes):
            self._refusals_changed(event)
        if event.status and self._is_alarm(event.status):
            said = _("The partner answers %(code)s: somebody has to act.")
            self._reporter.alarm(event.cause, said % {"code": event.cause})
        if event.kind is Kind.SUBMITTED:
            self._reporter.seen.submitted += 1
        if event.seconds:
            self._reporter.seen.response_seconds.append(event.seconds)
        self._outcome(event.segment, event.kind, event.status, event.smsc_id, event.cause)

    def _is_alarm(self, status: int) -> bool:
        classes = self._account.session.status_classes
        return classify(status, classes) is StatusClass.ALARM

    def _late(self, event: LateResponse) -> None:
        """Its place in the intent budget was free when its timer had run out, and is taken again
        until this is durable: nothing is counted out twice.
        """
        assert self._book is not None
        self._book.claimed(event.segment.covers)
        self._outcome(event.segment, event.kind, event.status, event.smsc_id, event.cause)

    def _outcome(self, segment: Segment, kind: Kind, status: int, smsc_id: str, cause: str) -> None:
        assert self._book is not None
        at = self._moments.now()
        first = Outcome(segment.key, segment.part_count, kind, at, status, smsc_id, cause)
        self._book.add(first)
        for part in range(2, segment.covers + 1):
            self._book.add(first._replace(key=segment.key._replace(part=part)))
        self._feeder.nudge()

    def _receipt(self, event: ReceiptReceived) -> None:
        assert self._inbox is not None
        if classes := self._account.receipt_classes:
            self._receipt_codes.read(event.receipt.error, classes)
        self._inbox.add_receipt(event)

    def _closed(self, event: Closed) -> None:
        if self._inbox is not None:
            self._inbox.session_ended()
        for segment in event.unknown:
            self._outcome(segment, Kind.UNKNOWN, 0, "", "no answer: the session ended")
        self.release(event.released, event.reason)
        self._on_life(event)

    # What is shown

    def _on_health(self, event: HealthTold | PeerSilent | PeerAnswers) -> None:
        """Say what is wrong with a session that is bound, and would look well else."""
        sentence = event.sentence if isinstance(event, HealthTold) else ""
        if isinstance(event, PeerSilent):
            sentence = _(
                "The partner has answered no segment for %(n)s s: it gets one at a time until it"
                " does."
            ) % {"n": f"{event.seconds:g}"}
            self._is_silent = True
            self._reporter.tell("alarm", sentence)
        elif isinstance(event, PeerAnswers):
            self._is_silent = False
            self._reporter.tell("answers", _("The partner answers segments again."))
        self._show_bound(sentence)

    def _refusals_changed(self, event: Settled) -> None:
        if self._refusals.sentence:
            self._reporter.alarm(event.cause, self._refusals.sentence)
        else:
            self._reporter.tell("answers", _("The partner takes segments again."))
        self._show_bound(self._health)

    def _show_bound(self, health: str) -> None:
        """Say that there is a session, and what is wrong with it: that is each campaign's reason
        too. While it takes no segments, another one carries what would be its.
        """
        self._health = health
        self._reporter.observe(
            "bound",
            self._refusals.sentence or health,
            stands_still=self._feeder.standstill.is_on or self._is_silent,
        )

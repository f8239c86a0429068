"""One slot: what fails in it, and what its far end makes of it."""

import asyncio
import time
from dataclasses import replace

import pytest
from structlog.testing import CapturingLogger

from smpp_client.carrier import Address, Kind, Segment, SegmentKey
from smpp_client.engine import crew, faults, slot
from smpp_client.engine.accounts import Place
from smpp_client.engine.dialer import NoSession
from smpp_client.protocol.events import (
    LateResponse,
    PeerAnswers,
    PeerSilent,
    ProtocolFault,
    ReceiptReceived,
)
from smpp_client.protocol.pdus import BindType
from smpp_client.protocol.receipts import ReadReceipt
from tests.smpp_client.engine.slots import RATE, Stage, play, until


def test_a_task_of_the_lease_that_fails_ends_the_session_and_the_slot_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks() -> None:
        raise RuntimeError("nobody thought of this")

    async def story(stage: Stage) -> None:
        await until(lambda: len(stage.desk.recorded) > 10)
        stage.leases.on_share = breaks
        await until(lambda: len(stage.leases.released) >= 1)
        stage.leases.on_share = lambda: None
        epoch = stage.leases.epoch
        await until(lambda: stage.lines[-1].written and stage.leases.epoch > epoch)

    stage = play(story, monkeypatch)
    assert stage.lines[0].is_closed.is_set()
    assert "RuntimeError" in stage.wall.sentences("failed")[0]
    # Each lease is left once, with nothing in doubt, and given back.
    assert [key.epoch for key in stage.desk.left] == stage.leases.released
    assert stage.tools.held_counts[1] == 0


def test_a_slot_that_is_stopped_while_it_dials_serves_no_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(stage: Stage) -> None:
        dial = stage.dial

        async def stopped(*given: object) -> object:
            stage.slot.stop()
            return await dial(*given)  # type: ignore[arg-type]

        stage.dial = stopped  # type: ignore[assignment, method-assign]
        await stage.task

    stage = play(story, monkeypatch)
    assert [line.is_closed.is_set() for line in stage.lines] == [True]
    assert stage.desk.claimed == 0


def test_faults_of_a_peer_are_counted_and_logged_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(stage: Stage) -> None:
        await until(lambda: stage.lines and stage.lines[-1].written)
        for sequence in range(1_000):
            fault = f"The peer answered request {sequence}, which is not open."
            stage.lines[-1].tell(ProtocolFault(fault))
        assert stage.slot.hearing.faults.count == 1_000

    told = CapturingLogger()
    monkeypatch.setattr(faults, "log", told)
    play(story, monkeypatch)
    counts = [call.kwargs["count"] for call in told.calls if call.args == ("peer_fault",)]
    assert counts[:10] == list(range(1, 11))
    assert len(counts) < 20  # and one a minute, however slow this machine is


def test_a_peer_that_answers_no_segment_is_an_alarm_and_shown_until_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(stage: Stage) -> None:
        await until(lambda: stage.lines and stage.lines[-1].written)
        stage.lines[-1].tell(PeerSilent(60.0))
        assert "no segment for 60 s" in stage.slot.reporter.seen.sentence
        stage.lines[-1].tell(PeerAnswers())
        assert (stage.slot.reporter.seen.state, stage.slot.reporter.seen.sentence) == ("bound", "")

    stage = play(story, monkeypatch)
    assert "no segment for 60 s" in stage.wall.sentences("alarm")[0]
    assert len(stage.wall.sentences("answers")) == 1


def test_an_answer_after_its_timer_is_not_counted_out_of_the_budget_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(stage: Stage) -> None:
        await until(lambda: stage.desk.recorded)
        book = stage.slot._book
        assert book is not None
        to, key = Address(1, 1, "447700900001"), SegmentKey(9, 1, 0, 1)
        late = Segment(key, 1, Address(5, 0, "Bank"), to, b"Hi", 0, False)
        before = book.open_count
        stage.lines[-1].tell(LateResponse(late, Kind.SUBMITTED, 0, "id"))
        assert book.open_count == before + 1
        await until(lambda: any(one.key == key for one in stage.desk.recorded))

    play(story, monkeypatch)


def receipt(error: str) -> ReceiptReceived:
    """A receipt of a message that was not delivered, with this code."""
    undelivered = ReadReceipt("id", "undeliverable", error, b"raw", 0, "", "", False, False)
    return ReceiptReceived(1, undelivered)


def test_the_codes_of_receipts_slow_down_and_alarm_as_the_connections_table_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They come over the receiver of a pair; the transmitter beside it sends more slowly."""
    monkeypatch.setattr(crew, "WAY_SECONDS", 0.0)

    async def story(stage: Stage) -> None:
        feeder = stage.slot._feeder
        table = {"5": "final", "6": "later", "34": "slow_down", "E12": "alarm"}
        one = replace(stage.slot.account, receipt_classes=table)
        receiver = slot.Slot(one, Place(100, BindType.RECEIVER), stage.tools)
        receiving = asyncio.create_task(receiver.run())
        await until(lambda: len(stage.lines) == 2 and receiver.is_bound)
        await until(lambda: feeder.throttle.rate == RATE and stage.desk.recorded)
        for error in ("005", "006", "999", "000", ""):
            stage.lines[-1].tell(receipt(error))
        assert (feeder.throttle.rate, stage.wall.sentences("alarm")) == (RATE, [])
        for error in ("034", "e12", "e12"):
            stage.lines[-1].tell(receipt(error))
        assert feeder.throttle.rate < RATE
        receiver.stop()
        await receiving

    stage = play(story, monkeypatch)
    (alarm,) = stage.wall.sentences("alarm")
    assert "Receipts come with error e12" in alarm
    # What was said not to be delivered went out once all the same.
    assert len({one.key for one in stage.desk.recorded}) == len(stage.desk.recorded)


def test_a_receipt_on_its_way_when_the_rate_was_cut_does_not_cut_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crew, "WAY_SECONDS", 1e6)

    async def story(stage: Stage) -> None:
        feeder = stage.slot._feeder
        stage.slot.follow(replace(stage.slot.account, receipt_classes={"34": "slow_down"}))
        await until(lambda: feeder.throttle.rate == RATE and stage.desk.recorded)
        feeder.throttle = replace(feeder.throttle, since=float("-inf"))
        stage.lines[-1].tell(receipt("034"))
        await until(lambda: feeder.throttle.allowed(time.monotonic()) > 0)
        stage.lines[-1].tell(receipt("034"))
        assert feeder.throttle.rate == 0.75 * RATE

    play(story, monkeypatch)


def test_what_another_process_read_in_a_receipt_slows_down_once_while_it_is_news(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def asked(stage: Stage, *, times: int) -> None:
        ends = stage.leases.share_count + times
        while stage.leases.share_count < ends:
            stage.slot._tenure.share_due.set()
            await asyncio.sleep(0.002)

    async def story(stage: Stage) -> None:
        feeder = stage.slot._feeder
        await until(lambda: feeder.throttle.rate == RATE and stage.desk.recorded)
        feeder.throttle = replace(feeder.throttle, since=float("-inf"))
        stage.leases.heard_ago = crew.WAY_SECONDS + 1
        await asked(stage, times=2)
        assert feeder.throttle.rate == RATE
        stage.leases.heard_ago = 0.1
        await asked(stage, times=4)
        assert feeder.throttle.rate == 0.75 * RATE
        # What comes from elsewhere is not told on.
        assert stage.tools.crews[stage.slot.account.id].heard_ago is None

    play(story, monkeypatch)


def test_waits_between_binds_are_bounded_and_never_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(stage: Stage) -> None:
        for failures in (1, 3, 50):
            stage.slot._failures = failures
            waits = [stage.slot._wait_before_next() for _ in range(200)]
            assert len(set(waits)) > 1
            assert max(waits) <= 1.3 * slot.back_off(failures) <= 1.3 * slot.LONGEST_WAIT

    play(story, monkeypatch)


def test_a_link_that_is_refused_all_the_time_costs_another_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slot, "SHORTEST_WAIT", 0.01)
    refused: list[object] = []

    async def refuses(*given: object) -> None:
        refused.append(given)
        raise NoSession("refused", "Nobody listens there.")

    async def story(stage: Stage) -> None:
        other = Stage(monkeypatch)
        other.dial = refuses  # type: ignore[assignment, method-assign]
        await until(lambda: len(refused) >= 4)
        written = len(stage.lines[-1].written)
        await until(lambda: len(stage.lines[-1].written) > written + 100)
        assert len(stage.lines) == 1
        await other.end()

    play(story, monkeypatch)

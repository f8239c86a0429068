"""One slot: what fails in it, and what its far end makes of it."""

import pytest
from structlog.testing import CapturingLogger

from smpp_client.engine import faults, slot
from smpp_client.engine.dialer import NoSession
from smpp_client.protocol.events import PeerAnswers, PeerSilent, ProtocolFault
from tests.smpp_client.engine.slots import Stage, play, until


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
        assert stage.slot.faults.count == 1_000

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

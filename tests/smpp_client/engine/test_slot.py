"""One slot: what fails in it, and what its far end makes of it."""

import pytest

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

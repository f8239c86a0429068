"""A partner that refuses everything: no campaign is used up, and the reason is said."""

import pytest

from smpp_client.carrier import Kind
from smpp_client.engine import refusals, slot
from smpp_client.protocol.events import PeerAnswers, PeerSilent
from tests.smpp_client.engine.slots import Stage, accepts, play, until

ALARM = (Kind.DEFERRED, 0x53, "bad system type (0x53)")
FAULT = (Kind.DEFERRED, 0x08, "system error (0x08)")
WINDOW = 50


@pytest.mark.parametrize(
    ("answer", "pause", "said"),
    [(ALARM, "ALARM_PAUSE", "refuses everything"), (FAULT, "FAULT_PAUSE", "fails at everything")],
)
def test_a_partner_that_refuses_everything_gets_one_segment_now_and_then_until_one_passes(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[Kind, int, str], pause: str, said: str
) -> None:
    monkeypatch.setattr(refusals, pause, 0.1)

    async def story(stage: Stage) -> None:
        await until(lambda: len(stage.desk.recorded) > 100)
        stage.answer = lambda: answer
        await until(lambda: stage.slot._feeder.standstill.count >= 3)
        shown = len(stage.wall.shown)
        await until(lambda: len(stage.wall.shown) > shown + 1)
        stage.answer = accepts
        await until(lambda: stage.wall.sentences("answers"))
        recorded = len(stage.desk.recorded)
        await until(lambda: len(stage.desk.recorded) > recorded + 100)
        await until(lambda: stage.wall.shown[-1]["sentence"] == "")

    stage = play(story, monkeypatch)
    deferred = [one for one in stage.desk.recorded if one.kind is Kind.DEFERRED]
    # What was in the window, and what was tried since: one after each pause.
    assert 11 <= len(deferred) <= 2 * WINDOW + 20
    # Another one carries what would be its, as long as it lasts.
    assert any(shown["stands_still"] for shown in stage.wall.shown)
    assert not stage.wall.shown[-1]["stands_still"]
    # The reason is the session's, so each campaign's "why not faster" has it.
    sentences = {str(shown["sentence"]) for shown in stage.wall.shown if shown["state"] == "bound"}
    assert any(said in sentence and answer[2] in sentence for sentence in sentences)
    assert any(answer[2] in sentence for sentence in stage.wall.sentences("alarm"))


def test_a_partner_that_answers_no_segment_stands_still_until_it_answers_or_a_new_session_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(stage: Stage) -> None:
        def is_shown(*, stands_still: bool) -> bool:
            last = stage.wall.shown[-1] if stage.wall.shown else {"state": ""}
            return last["state"] == "bound" and last["stands_still"] is stands_still

        await until(lambda: is_shown(stands_still=False))
        stage.lines[-1].tell(PeerSilent(60.0))
        await until(lambda: is_shown(stands_still=True))
        stage.lines[-1].tell(PeerAnswers())
        await until(lambda: is_shown(stands_still=False))
        stage.lines[-1].tell(PeerSilent(60.0))
        await until(lambda: is_shown(stands_still=True))
        monkeypatch.setattr(slot, "SHORTEST_WAIT", 0.01)
        stage.lines[-1].drop("gone")
        await until(lambda: len(stage.lines) == 2 and is_shown(stands_still=False))

    play(story, monkeypatch)

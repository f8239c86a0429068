"""What the sender's process does beside its engine."""

from types import SimpleNamespace

import pytest

from campaigns.tasks import routes
from message_center import sender
from message_center.sender import SenderStep


def test_whatever_breaks_a_look_at_the_routes_the_next_one_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = SenderStep(SimpleNamespace(steps=[]))
    looks: list[int] = []

    def look() -> None:
        looks.append(len(looks))
        if len(looks) == 2:
            step.is_stopping = True
        raise KeyError("no error of the database")

    monkeypatch.setattr(sender, "ROUTES_SECONDS", 0.0)
    monkeypatch.setattr(routes, "sweep_routes", look)
    step._tend_routes()
    assert looks == [0, 1]

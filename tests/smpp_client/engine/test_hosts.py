"""Which of several hosts a session tries next."""

from smpp_client.engine.dialer import RETURN_SECONDS, HostChoice
from smpp_client.rules.hosts import Host

HOSTS = (Host("a", 1), Host("b", 1), Host("c", 1))


def tried(choice: HostChoice, *times: float) -> str:
    names = []
    for now in times:
        names.append(choice.next(now).name)
        choice.failed(now)
    return "".join(names)


def test_each_failure_leads_to_the_next_host_and_round_again() -> None:
    assert tried(HostChoice(HOSTS), 0, 1, 2, 3, 4) == "abcab"


def test_a_session_that_is_not_lost_stays_where_it_is() -> None:
    choice = HostChoice(HOSTS)
    choice.failed(0)
    assert [choice.next(now).name for now in (1, 2, 3)] == ["b", "b", "b"]


def test_a_session_elsewhere_can_be_sent_home() -> None:
    choice = HostChoice(HOSTS)
    assert not choice.is_away
    choice.failed(0)
    assert choice.is_away
    assert choice.go_home().name == "a"
    assert choice.next(1).name == "a"


def test_the_first_host_is_tried_again_when_it_had_time_to_recover() -> None:
    choice = HostChoice(HOSTS)
    choice.failed(0)
    assert choice.next(RETURN_SECONDS - 1).name == "b"
    assert choice.next(RETURN_SECONDS).name == "a"

"""The demo's data: every number is one of fiction, and what subscribers write can come."""

import re

import pytest

from campaigns.management import demo
from campaigns.rules.stop_words import STOP_WORDS, Wish, asked, fold
from smpp_client.rules.addresses import sender_address

STOP = {fold(word) for words in STOP_WORDS.values() for word in words}


@pytest.mark.parametrize("reply", demo.REPLIES, ids=lambda one: one.text)
def test_a_subscriber_has_a_number_of_fiction_and_writes_one_part_to_a_teams_code(
    reply: demo.Reply,
) -> None:
    assert re.fullmatch(r"1\d{3}55501\d\d", demo.digits(reply.index))
    assert reply.code in {team.code for team in demo.TEAMS}
    assert sender_address(reply.code).value == reply.code
    assert len(reply.text.encode("utf-16-be")) <= 140


def test_a_subscriber_is_one_of_the_lists() -> None:
    (_head, row, *_more) = demo.rows(20_003, 1)
    assert re.sub(r"\D", "", row.split(",")[0]) == demo.digits(20_003)


def test_one_of_them_stops() -> None:
    wishes = [asked(one.text, stop=STOP, start=()).wish for one in demo.REPLIES]
    assert wishes.count(Wish.STOP) == 1

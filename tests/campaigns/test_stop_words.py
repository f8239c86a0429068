"""The words that stop and start, as people really type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.stop_words import (
    LONGEST_WORD,
    START_WORDS,
    STOP_WORDS,
    Asked,
    Wish,
    asked,
    fold,
)

STOP = [fold(word) for words in STOP_WORDS.values() for word in words]
START = [fold(word) for words in START_WORDS.values() for word in words]


def wish(text: str) -> Wish:
    return asked(text, stop=STOP, start=START).wish


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOP!!!",
        "“stop”",
        "\ufeffSTOP\u200b",
        "ＳＴＯＰ",
        "stop sending me this",
        "STOP 1234",
        "Stop\nplease",
        "стоп",
        "Отписаться, спасибо",
        "arret",
        "Arrêter",
        "to'xtat",
        "Toʻxtat",
        "TOXTAT",
        "iptal",
        "İPTAL",
        "الغاء",
        "إلغاء الاشتراك",
        "توقــف",
    ],
)
def test_a_word_stops_however_it_is_typed(text: str) -> None:
    assert wish(text) is Wish.STOP


@pytest.mark.parametrize(
    "text", ["", "   ", "!!!", "Please stop", "Stopover at 9", "bus stop", "endless", "yes", "HELP"]
)
def test_other_messages_ask_for_nothing(text: str) -> None:
    assert wish(text) is Wish.NONE


@pytest.mark.parametrize("text", ["START", "start.", "Подписаться", "başla"])
def test_a_word_alone_starts(text: str) -> None:
    assert wish(text) is Wish.START


def test_a_message_that_only_begins_with_start_starts_nothing() -> None:
    assert wish("Start when?") is Wish.NONE


def test_the_longest_word_is_named() -> None:
    assert asked("stop all of it", stop=STOP, start=START) == Asked(Wish.STOP, "stop all")


def test_no_word_both_stops_and_starts() -> None:
    assert not set(STOP) & set(START)
    assert all(0 < len(word) <= LONGEST_WORD for word in STOP + START)


@given(st.text(max_size=300))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.sampled_from(STOP), st.text(" .,!?\n\t-\u200b", max_size=5), st.text(max_size=60))
def test_a_stop_word_before_anything_stops(word: str, before: str, after: str) -> None:
    assert wish(f"{before}{word} {after}") is Wish.STOP
    assert wish(f"{before}{word.upper()}.{after}") is Wish.STOP


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert wish(text) in Wish

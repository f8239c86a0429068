"""Sizes in words."""

import pytest

from campaigns.rules.sizes import size_in_words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_100, "1.1 kB"),
        (61_400_000, "61.4 MB"),
        (10**9, "1 GB"),
    ],
)
def test_sizes_read_as_people_write_them(size: int, words: str) -> None:
    assert size_in_words(size) == words

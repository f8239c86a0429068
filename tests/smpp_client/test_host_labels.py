"""How long a part of a host name may be: longer ones cannot even be looked up."""

import pytest

from smpp_client.rules.hosts import HostRefused, is_host, read_host

LONGEST = "a" * 63


@pytest.mark.parametrize("name", [LONGEST, f"{LONGEST}.example", f"smsc.{LONGEST}."])
def test_a_part_of_63_characters_is_read(name: str) -> None:
    assert read_host(name, 2775).name == name


@pytest.mark.parametrize("name", [f"{LONGEST}a", f"{LONGEST}a.example", f"b.{LONGEST}a."])
def test_a_part_of_64_characters_is_refused_and_the_sentence_says_so(name: str) -> None:
    assert not is_host(name)
    with pytest.raises(HostRefused, match="at most 63 characters"):
        read_host(name, 2775)

"""Hosts as people write them."""

import pytest

from smpp_client.rules.hosts import Host, HostRefused, read_host, read_hosts


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("smsc.example", Host("smsc.example", 2775)),
        ("smsc.example:2776", Host("smsc.example", 2776)),
        ("192.0.2.7:3000", Host("192.0.2.7", 3000)),
        ("2001:db8::7", Host("2001:db8::7", 2775)),
        ("[2001:db8::7]", Host("2001:db8::7", 2775)),
        ("[2001:db8::7]:3000", Host("2001:db8::7", 3000)),
    ],
)
def test_a_name_or_an_address_is_read_with_its_port(line: str, host: Host) -> None:
    assert read_host(f" {line} ", 2775) == host


@pytest.mark.parametrize(
    "line",
    [
        "",
        "smpp://smsc",
        "smsc:",
        "smsc:0",
        "smsc:65536",
        "smsc:x",
        "[smsc]:1",
        "1.2.3",
        "a b",
        "::g",
    ],
)
def test_what_names_no_host_is_refused(line: str) -> None:
    with pytest.raises(HostRefused):
        read_host(line, 2775)


def test_hosts_keep_their_order_and_empty_lines_count_nothing() -> None:
    assert [str(one) for one in read_hosts("b:1\n\n[::1]:2\na", 3)] == ["b:1", "[::1]:2", "a:3"]

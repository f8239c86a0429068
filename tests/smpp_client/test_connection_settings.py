"""Everything that can be wrong with a connection, each with its own sentence."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from message_center.stack.certificates import (
    Issued,
    issue_expired,
    issue_not_yet_valid,
    issue_valid,
    read_authority,
)
from smpp_client.queries.connection_settings import (
    ConnectionSettings,
    faults,
    name_faults,
    password_faults,
)
from tests.smpp_client import wires

Said = list[tuple[str, str]]


def said(settings: ConnectionSettings, before: ConnectionSettings | None = None) -> Said:
    """Return the faults as (field, sentence)."""
    return [(fault.field, fault.sentence) for fault in faults(settings, timezone.now(), before)]


@pytest.fixture
def good(tmp_path: Path) -> ConnectionSettings:
    """Settings without a fault."""
    return wires.certified(tmp_path)


def with_pair(good: ConnectionSettings, pair: Issued) -> ConnectionSettings:
    """Return settings with another certificate and key."""
    return replace(good, cert_file=str(pair.cert), key_file=str(pair.key))


def test_right_settings_have_no_fault(good: ConnectionSettings) -> None:
    assert said(good) == []


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"host": ""}, "host", "Type a host name or an IP address"),
        ({"host": "smpp://smsc.example.net"}, "host", "without smpp:// and port"),
        ({"host": "smsc.example.net:2775"}, "host", "without smpp:// and port"),
        ({"host": "300.1.1.1"}, "host", "Type a host name or an IP address"),
        ({"port": 0}, "port", "from 1 to 65535"),
        ({"port": 65_536}, "port", "from 1 to 65535"),
        ({"system_id": ""}, "system_id", "Fill this in"),
        ({"system_id": "x" * 16}, "system_id", "at most 15 octets here; this has 16"),
        ({"system_id": "Zentrum\u00e4"}, "system_id", "ASCII"),
        ({"system_type": "x" * 13}, "system_type", "at most 12 octets"),
        ({"server_name": "not a name"}, "server_name", "partner's certificate"),
        ({"rate": 0}, "rate", "at least 1 segment"),
        ({"window": 0}, "window", "1 to 10,000"),
        ({"intent_budget": 0}, "intent_budget", "1 to 10,000"),
        ({"alphabet": "ebcdic"}, "alphabet", "Choose one"),
        ({"message_id_rule": "guess"}, "message_id_rule", "Choose one"),
        ({"short_code_ton": 7}, "short_code_ton", "Choose one"),
        ({"enquire_seconds": 0}, "enquire_seconds", "1 to 3600 seconds"),
        ({"further_hosts": "smsc:0"}, "further_hosts", "from 1 to 65535"),
        ({"further_hosts": "a\n" * 11}, "further_hosts", "at most 10"),
        ({"bind_count": 0}, "bind_count", "1 to 50"),
        ({"bind_count": 51}, "bind_count", "1 to 50"),
        ({"bind_form": "outbind"}, "bind_form", "Choose one"),
        ({"tls_minimum": "1.1"}, "tls_minimum", "Choose one"),
        ({"pins": "abc"}, "pins", "no SHA-256"),
        ({"long_form": "cut"}, "long_form", "Choose one"),
        ({"status_classes": {"0x400": "never"}}, "status_classes", "one of final"),
        ({"receipt_classes": {"0x 4": "later"}}, "receipt_classes", "one of final"),
        ({"response_seconds": 0}, "response_seconds", "1 to 3600 seconds"),
    ],
)
def test_a_wrong_setting_is_named_at_its_field(
    good: ConnectionSettings, fields: dict[str, Any], field: str, words: str
) -> None:
    ((where, sentence),) = said(replace(good, **fields))
    assert where == field
    assert words in sentence


@pytest.mark.parametrize("host", ["smsc.example.net", "smsc-1", "192.0.2.7", "2001:db8::7"])
def test_host_names_and_addresses_are_allowed(good: ConnectionSettings, host: str) -> None:
    assert said(replace(good, host=host)) == []


@pytest.mark.parametrize(
    ("password", "words"),
    [("", "Fill this in"), ("123456789", "at most 8 octets here; this has 9"), ("ключ", "ASCII")],
)
def test_a_password_that_smpp_cannot_carry_is_refused_and_never_cut(
    password: str, words: str
) -> None:
    (fault,) = password_faults(password)
    assert fault.field == "password"
    assert words in fault.sentence


def test_a_password_of_8_octets_is_allowed() -> None:
    assert password_faults("12345678") == []


@pytest.mark.parametrize("name", ["", "new", "SMSC", "a b", "-a", "a--b", "a" * 41])
def test_a_name_that_makes_no_address_is_refused(name: str) -> None:
    assert [fault.field for fault in name_faults(name)] == ["name"]


def at(settings: ConnectionSettings, field: str, path: str) -> ConnectionSettings:
    """Return settings with another file at a field."""
    changed: dict[str, Any] = {field: path}
    return replace(settings, **changed)


@pytest.mark.parametrize("field", ["ca_file", "cert_file", "key_file"])
def test_a_missing_file_is_named(good: ConnectionSettings, tmp_path: Path, field: str) -> None:
    path = str(tmp_path / "gone.pem")
    assert said(at(good, field, path)) == [(field, f"There is no file {path}.")]


@pytest.mark.parametrize("field", ["ca_file", "cert_file", "key_file"])
def test_a_file_that_cannot_be_read_is_named(
    good: ConnectionSettings, tmp_path: Path, field: str
) -> None:
    ((where, sentence),) = said(at(good, field, str(tmp_path)))
    assert where == field
    assert "cannot be read: Is a directory" in sentence


@pytest.mark.parametrize("field", ["ca_file", "cert_file", "key_file"])
def test_a_path_from_nowhere_is_refused(good: ConnectionSettings, field: str) -> None:
    assert said(at(good, field, "client.pem")) == [
        (field, "Type the whole path, beginning with a slash.")
    ]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("ca_file", "holds no certificate in PEM form"),
        ("cert_file", "holds no certificate in PEM form"),
        ("key_file", "holds no key in PEM form without a password"),
    ],
)
def test_a_file_with_something_else_in_it_is_named(
    good: ConnectionSettings, tmp_path: Path, field: str, words: str
) -> None:
    (tmp_path / "notes.txt").write_text("not a certificate")
    ((where, sentence),) = said(at(good, field, str(tmp_path / "notes.txt")))
    assert where == field
    assert words in sentence


def test_a_certificate_without_its_key_is_refused(good: ConnectionSettings) -> None:
    assert said(replace(good, key_file="")) == [
        ("key_file", "A certificate needs its key: name the key's file.")
    ]


def test_a_key_without_its_certificate_is_refused(good: ConnectionSettings) -> None:
    assert said(replace(good, cert_file="")) == [
        ("cert_file", "A key needs its certificate: name the certificate's file.")
    ]


def test_another_certificates_key_is_refused(good: ConnectionSettings, tmp_path: Path) -> None:
    other = issue_valid(
        tmp_path, read_authority(tmp_path), "other", client=True, now=timezone.now()
    )
    ((field, sentence),) = said(replace(good, key_file=str(other.key)))
    assert field == "key_file"
    assert "does not belong to the certificate" in sentence


def test_an_expired_certificate_is_refused_with_its_day(
    good: ConnectionSettings, tmp_path: Path
) -> None:
    now = timezone.now()
    pair = issue_expired(tmp_path, read_authority(tmp_path), client=True, now=now)
    ((field, sentence),) = said(with_pair(good, pair))
    assert field == "cert_file"
    assert f"ended on {now - timedelta(hours=1):%-d %b %Y}" in sentence


def test_a_certificate_of_tomorrow_is_refused_with_its_day(
    good: ConnectionSettings, tmp_path: Path
) -> None:
    now = timezone.now()
    pair = issue_not_yet_valid(tmp_path, read_authority(tmp_path), client=True, now=now)
    ((field, sentence),) = said(with_pair(good, pair))
    assert field == "cert_file"
    assert f"not valid before {now + timedelta(days=1):%-d %b %Y}" in sentence


def test_a_certificate_is_no_authority(good: ConnectionSettings) -> None:
    ((field, sentence),) = said(replace(good, ca_file=good.cert_file))
    assert field == "ca_file"
    assert "is not a certificate authority" in sentence


def plain(good: ConnectionSettings, **fields: Any) -> ConnectionSettings:
    """Return settings with an exception from TLS."""
    until = timezone.now().date() + timedelta(days=30)
    none = {"ca_file": "", "cert_file": "", "key_file": ""}
    return replace(good, **{**none, "plain_reason": "IPsec", "plain_until": until, **fields})


def test_tls_is_the_default(good: ConnectionSettings) -> None:
    assert [field for field, _ in said(replace(good, ca_file="", cert_file="", key_file=""))] == [
        "ca_file"
    ]


def test_a_dated_exception_with_a_reason_is_allowed(good: ConnectionSettings) -> None:
    assert said(plain(good)) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"plain_reason": ""}, "plain_reason"),
        ({"plain_until": None}, "plain_until"),
        ({"plain_until": timezone.now().date() - timedelta(days=1)}, "plain_until"),
        ({"ca_file": "/ca.pem"}, "plain_reason"),
    ],
)
def test_an_exception_from_tls_has_a_reason_an_end_and_no_files(
    good: ConnectionSettings, fields: dict[str, Any], field: str
) -> None:
    assert [where for where, _ in said(plain(good, **fields))] == [field]


def test_an_ended_certificate_does_not_keep_anybody_from_lowering_the_rate(
    good: ConnectionSettings, tmp_path: Path
) -> None:
    authority = read_authority(tmp_path)
    before = with_pair(good, issue_expired(tmp_path, authority, client=True, now=timezone.now()))
    assert said(replace(before, rate=10), before) == []
    assert said(replace(before, server_name="127.0.0.1"), before) != []


def test_every_fault_is_told_at_once(good: ConnectionSettings) -> None:
    assert [field for field, _ in said(replace(good, host="", port=0, rate=0, key_file=""))] == [
        "host",
        "port",
        "key_file",
        "rate",
    ]

"""What a log line may not hold."""

import json
import subprocess
import sys

import pytest

from message_center.logs import clean


def cleaned(**event: object) -> dict[str, object]:
    """What the processor makes of an event."""
    return dict(clean(None, "info", dict(event)))


@pytest.mark.parametrize(
    "written",
    [
        "447700900123",
        "+447700900123",
        "+44 7700 900123",
        "+1 (555) 0100-199",
        "to=447700900123",
        "7700900",
        "msisdn:447700900123",
        "sent to 447700900123.",
        '{"to": "447700900123"}',
        "tel:+447700900123;x",
        "447700900123-1",
        "07700 900123",
        "07700-900-123",
        "(07700) 900123",
        "sent to 07700 900123.",
        "44 7700 900123",
    ],
)
def test_a_phone_number_is_masked_wherever_it_stands(written: str) -> None:
    event = str(cleaned(event=written)["event"])
    assert "•••" in event
    assert "7009001" not in event.replace(" ", "")


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-21T05:12:59.123456Z", "took 0.1234567 s", "port 5432", "C-1187", "486,120 people",
        "5f1e90b41234567d2aa", "12345678-1b2c-4d5e-8f90-aabbccddeeff", "usr_1234567",
        "2026-11-21 05:12:59", "01-12-2026 05:12", "05:12:59,123456", "010 120 of 500",
        "127.0.0.1:5432", "epoch 12 of 1400, 16 left", "version 0.12.345",
        "Bearer", "basic authentication", "the bearer left.", 'Bearer realm="messages"',
        "mc_session", "message_center.sender", "http://localhost:8000/a@b", "postgresql://mc_app@db/x",
        "Tokyo: 3 tokens", "0 of 900 000", "00000011-1111-4111-8111-1",
    ],
)  # fmt: skip
def test_what_is_no_number_stays(written: str) -> None:
    assert cleaned(event=written)["event"] == written


@pytest.mark.parametrize(
    "written", ["(212) 555-0100", "212 555 0100", "1-212-555-0100", "07 70 09 00 12"]
)
def test_a_number_in_groups_is_masked(written: str) -> None:
    assert "•••" in str(cleaned(event=written)["event"])


def test_a_whole_number_that_may_be_somebodys_is_masked_at_any_depth() -> None:
    event = cleaned(to=447700900123, call={"to": [447700900123], 447700900123: "x"})
    assert event["to"] == "44•••23"
    assert event["call"] == {"to": ["44•••23"], "44•••23": "x"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rows", 1_000_000), ("left", 486_120_000), ("flag", True), ("read_bytes", 4_770_090_012),
        ("started_at", 1_763_701_979), ("campaign_id", 9_000_000_001), ("total", 12_345_678_901),
        ("checksum", 2**63 + 5), ("took", 0.1234567),
    ],
)  # fmt: skip
def test_what_counts_or_measures_stays(name: str, value: object) -> None:
    assert cleaned(**{name: value})[name] == value


def test_the_requests_own_number_stays() -> None:
    assert cleaned(request_id="447700900123")["request_id"] == "447700900123"


@pytest.mark.parametrize("name", ["password", "SMPP_PASSWORD", "csrf_token", "Authorization"])
def test_the_value_of_a_secret_is_masked(name: str) -> None:
    assert cleaned(**{name: "hunter2"})[name] == "***"


@pytest.mark.parametrize(
    "written",
    [
        "password=hunter2",
        "Authorization: Bearer hunter2",
        '{"token": "hunter2"}',
        "api_key='hunter2'",
        "postgresql://mc_app:hunter2@db/x",
        "cannot reach redis://:hunter2@127.0.0.1:6379/0",
        "https://proxy:p@hunter2@proxy.example/",
        "the key mc_ab12.hunter2 was refused",
        "Bearer abc.hunter2",
        "sent 'basic dXNlcjpodW50ZXIy hunter' 'Bearer hunter2'",
    ],
)
def test_a_secret_inside_a_text_is_masked(written: str) -> None:
    assert "hunter2" not in str(cleaned(event=written)["event"])


@pytest.mark.parametrize(
    "path", ["/invitations/q7-secret/", "GET /sign-in/reset/Mg/q7-secret/ HTTP/1.1"]
)
def test_an_address_that_is_a_secret_is_masked(path: str) -> None:
    assert "q7-secret" not in str(cleaned(path=path)["path"])


def test_nested_values_are_cleaned_too() -> None:
    event = cleaned(call={"to": ["447700900123"], "password": "hunter2"})
    assert event["call"] == {"to": ["44•••23"], "password": "***"}


def test_control_characters_cannot_forge_a_line() -> None:
    event = cleaned(event="bad\r\nlevel=info ok\x1b[2K\u202egnp.exe\x9b")["event"]
    assert event == "bad\\x0d\\x0alevel=info ok\\x1b[2K\\u202egnp.exe\\x9b"


def test_a_trace_keeps_its_lines_and_nothing_else() -> None:
    event = cleaned(exception="Traceback\n\tKeyError: \x1b447700900123")
    assert event["exception"] == "Traceback\n\tKeyError: \\x1b44•••23"


PROGRAM = """
import logging, structlog
from message_center.logs import configure
configure({"json": %s})
structlog.contextvars.bind_contextvars(request_id="one-request")
structlog.get_logger("ours").warning("lost", to="447700900123")
logging.getLogger("theirs").warning("%%s for %%s", "failed", "447700900123")
"""


def lines(*, as_json: bool) -> list[str]:
    """What a process of its own writes."""
    words = [sys.executable, "-c", PROGRAM % as_json]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stderr.splitlines()


def test_our_logs_and_the_libraries_are_json_with_the_requests_number() -> None:
    ours, theirs = (json.loads(line) for line in lines(as_json=True))
    assert (ours["event"], ours["to"], ours["logger"]) == ("lost", "44•••23", "ours")
    assert (theirs["event"], theirs["level"]) == ("failed for 44•••23", "warning")
    assert ours["request_id"] == theirs["request_id"] == "one-request"
    assert ours["timestamp"].endswith("Z")


def test_a_console_gets_lines_for_people() -> None:
    first = lines(as_json=False)[0]
    assert "lost" in first
    assert "44•••23" in first

"""Every refusal is a problem document (RFC 9457), whatever was sent; never an error of ours."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from campaigns.api import limits
from campaigns.rules.api_rates import CallBucket
from tests.campaigns.api.care import CAMPAIGNS, DOCUMENT, ME, MESSAGES, Care, key_of, make_care
from tests.conftest import Database

PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "code", "detail", "request_id"}


def _is_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    told = answer.json()
    assert set(told) >= MEMBERS
    assert (told["status"], told["code"]) == (status, code)
    assert told["request_id"] == answer["X-Request-ID"]


# --- bodies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'to': 1}",
        b'{"to": NaN}',
        b'{"to": Infinity}',
        b'{"to": "+447700900123", "to": "+447700900124"}',
        b'{"a": {"b": 1, "b": 2}}',
        b"\xff\xfe",
        b'{"to": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b'{"to": ' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"{}{}",
        b"\0",
    ],
)
def test_what_is_no_json_is_malformed(desk: Care, body: bytes) -> None:
    _is_problem(desk.push_raw(body, {"Idempotency-Key": "k"}), 400, "malformed")


@pytest.mark.parametrize("value", ["1e400", "-0", "1E-999", "9" * 4000, "true", "[[[[]]]]"])
def test_numbers_of_any_size_are_no_text(desk: Care, value: str) -> None:
    answer = desk.push_raw(f'{{"campaign": {value}}}', {"Idempotency-Key": "k"})
    _is_problem(answer, 400, "invalid")


def test_a_missing_body_lacks_everything(desk: Care) -> None:
    answer = desk.push_raw(b"", {"Idempotency-Key": "k"})
    _is_problem(answer, 400, "invalid")
    assert [error["code"] for error in answer.json()["errors"]] == ["required"] * 3


def test_a_body_that_is_too_large_is_refused(desk: Care, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    answer = desk.push_raw(json.dumps({"to": "1" * 1_000}), {"Idempotency-Key": "k"})
    _is_problem(answer, 413, "too_large")


def test_a_body_with_thousands_of_faults_names_the_first_hundred(desk: Care) -> None:
    answer = desk.push(values={f"slot{n}": "x" for n in range(5_000)})
    _is_problem(answer, 400, "invalid")
    assert len(answer.json()["errors"]) == 100


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x", "a/b/c"]
)
def test_a_body_of_another_kind_is_refused(desk: Care, kind: str) -> None:
    answer = desk.push_raw("a=b", {"Idempotency-Key": "k"}, content_type=kind)
    _is_problem(answer, 415, "unsupported_media_type")


# --- addresses, methods, answers ----------------------------------------------------------------


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "nonsense"])
def test_answers_are_json_only(desk: Care, accept: str) -> None:
    _is_problem(desk.get(ME, Accept=accept), 406, "not_acceptable")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_a_method_that_is_not_there_is_refused_with_those_that_are(desk: Care, method: str) -> None:
    answer = getattr(desk.client, method)(MESSAGES, headers=desk.headers())
    _is_problem(answer, 405, "method_not_allowed")
    assert "POST" in answer["Allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/messages",
        f"{MESSAGES}/",
        f"{MESSAGES}/not-a-uuid",
        f"{MESSAGES}/00000000-0000-0000-0000-000000000000",
        f"{CAMPAIGNS}/C-99",
        f"{CAMPAIGNS}/C-0",
        f"{CAMPAIGNS}/C-9999999999999999999",
        f"{CAMPAIGNS}/C-1%00",
        f"{CAMPAIGNS}/%ED%A0%80",
        f"{CAMPAIGNS}/C-%D9%A1",
        f"{CAMPAIGNS}/..%2F..%2Fetc",
    ],
)
def test_what_is_not_there_is_not_found(desk: Care, path: str) -> None:
    _is_problem(desk.get(path), 404, "not_found")


def test_a_wrong_host_is_a_problem_too(desk: Care) -> None:
    answer = desk.client.get(ME, headers=desk.headers(), SERVER_NAME="evil.example")
    _is_problem(answer, 400, "bad_request")


def test_what_breaks_is_a_problem_without_its_inside(
    desk: Care, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("password of the database")

    monkeypatch.setattr("campaigns.api.messages.push", explode)
    answer = desk.push()
    _is_problem(answer, 500, "server_error")
    assert b"password" not in answer.content


def test_without_a_database_the_answer_says_that_nothing_was_stored(database: Database) -> None:
    token = make_care().key.token
    with _no_database():
        answer = Client(raise_request_exception=False).get(
            ME, headers={"Authorization": f"Bearer {token}"}
        )
    _is_problem(answer, 503, "database_down")
    assert answer["Retry-After"] == "5"


@contextmanager
def _no_database() -> Iterator[None]:
    """Let the connection lead to a port where nobody listens."""
    wire = connections["default"]
    wire.close()
    before, wire.settings_dict["PORT"] = wire.settings_dict["PORT"], "1"
    try:
        yield
    finally:
        wire.settings_dict["PORT"] = before


# --- limits -------------------------------------------------------------------------------------


def test_a_key_that_calls_too_often_waits(desk: Care, settings: Any) -> None:
    settings.API_RATE_PER_MINUTE = 12
    limits.CALLS = limits.CallLimits()
    answers = [desk.get(ME) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    _is_problem(answers[2], 429, "rate_limited")
    assert 1 <= int(answers[2]["Retry-After"]) <= 5
    assert answers[0]["RateLimit-Policy"] == '"key";q=12;w=60'
    assert answers[0]["RateLimit"] == '"key";r=1;t=5'


def test_another_key_is_not_held_back(desk: Care, settings: Any) -> None:
    settings.API_RATE_PER_MINUTE = 6
    assert [desk.get(ME).status_code for _ in range(2)] == [200, 429]
    assert desk.get(ME, token=key_of(desk.admin).token).status_code == 200


def test_a_bucket_gives_its_rate_and_its_burst() -> None:
    bucket = CallBucket(60, 0.0)
    assert sum(bucket.take(0.0).is_allowed for _ in range(20)) == 10
    refused = bucket.take(0.0)
    assert (refused.is_allowed, refused.calls, refused.wait_seconds) == (False, 0, 1)
    assert sum(bucket.take(second / 10).is_allowed for second in range(1, 601)) == 60


def test_a_slow_bucket_still_gives_one_call() -> None:
    bucket = CallBucket(1, 0.0)
    assert bucket.take(0.0).is_allowed
    assert bucket.take(0.0).wait_seconds == 60


def test_the_public_document_needs_no_key(desk: Care) -> None:
    assert Client().get(DOCUMENT).status_code == 200

"""One call, repeated, sends once and gets one answer: in a row, side by side, after a refusal."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from campaigns.models import ApiMessage, Progress
from tests.campaigns.api.care import VALUES, Care, key_of, make_care
from tests.conftest import Database
from workspaces.models import IdempotentRequest
from workspaces.queries import keys as key_queries
from workspaces.scope import scope

THREADS = 20


def test_the_same_call_gets_the_same_answer_and_says_so(desk: Care) -> None:
    first, again = desk.push(key="one"), desk.push(key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert ("Idempotency-Replay" in first, again["Idempotency-Replay"]) == (False, "true")
    assert _count(desk) == 1


def test_the_same_body_may_be_written_in_another_order(desk: Care) -> None:
    desk.push(key="one")
    turned = dict(reversed(desk.body().items()))
    answer = desk.push_raw(json.dumps(turned, indent=2), {"Idempotency-Key": "one"})
    assert (answer.status_code, answer["Idempotency-Replay"]) == (201, "true")


def test_another_body_under_the_same_key_is_refused(desk: Care) -> None:
    desk.push(key="one")
    answer = desk.push(key="one", values=VALUES | {"amount": "13 EUR"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert _count(desk) == 1


def test_what_was_refused_is_not_remembered(desk: Care) -> None:
    assert desk.push(key="one", to="nobody").status_code == 400
    assert desk.push(key="one").status_code == 201


def test_a_replay_needs_no_campaign_that_still_sends(desk: Care) -> None:
    first = desk.push(key="one")
    with scope(desk.place), connection.cursor() as cursor:
        cursor.execute("UPDATE campaign SET state = 'paused' WHERE id = %s", [desk.campaign.pk])
    assert desk.push(key="one").json() == first.json()


def test_another_keys_calls_have_names_of_their_own(desk: Care) -> None:
    other = key_of(desk.admin).token
    assert desk.push(key="one").json() != desk.push(key="one", token=other).json()
    assert _count(desk) == 2


def test_a_call_without_a_key_is_refused(desk: Care) -> None:
    answer = desk.push_raw(json.dumps(desk.body()), {})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert answer.json()["errors"][0]["header"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "ключ", "x" * 256, "\x7f"])
def test_a_key_has_1_to_255_visible_ascii_characters(desk: Care, key: str) -> None:
    answer = desk.push(key=key)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "malformed")


@pytest.mark.parametrize("key", ["!", "~" * 255])
def test_every_visible_ascii_character_will_do(desk: Care, key: str) -> None:
    assert desk.push(key=key).status_code == 201


def test_an_answer_is_stored_with_its_message_and_without_a_number(desk: Care) -> None:
    answer = desk.push(key="one").json()
    with scope(desk.place):
        row = IdempotentRequest.objects.get()
        assert (row.key, row.status, row.answer) == ("one", 201, answer)
    assert "447700900123" not in json.dumps(row.answer)


def test_what_is_stored_of_a_body_is_keyed_for_it_holds_a_number(desk: Care) -> None:
    desk.push(key="one")
    canonical = json.dumps(desk.body(), sort_keys=True, separators=(",", ":")).encode()
    with scope(desk.place):
        row = IdempotentRequest.objects.get()
        signed = key_queries.keys().sign(sha256(canonical).digest(), "idempotent_request")
        assert row.body_hash == signed.hex()
        # As an earlier release stored it: the same call is still known.
        IdempotentRequest.objects.update(body_hash=sha256(canonical).hexdigest())
    assert desk.push(key="one")["Idempotency-Replay"] == "true"
    assert desk.push(key="one", values=VALUES | {"amount": "13 EUR"}).status_code == 422


# --- many at once -------------------------------------------------------------------------------


@pytest.fixture
def committed(database: Database) -> Iterator[Care]:
    """A workspace in a database of its own, where every thread has its own connection."""
    key_queries.keys.cache_clear()
    yield make_care()
    key_queries.keys.cache_clear()


def test_twenty_callers_with_one_key_send_one_message_and_get_one_answer(
    committed: Care,
) -> None:
    answers = _together(committed, lambda _n: {"key": "one"})
    assert [answer.status_code for answer in answers] == [201] * THREADS
    assert len({answer.content for answer in answers}) == 1
    assert Counter("Idempotency-Replay" in answer for answer in answers) == {False: 1, True: 19}
    assert _count(committed) == 1


def test_twenty_callers_with_one_reference_send_one_message(committed: Care) -> None:
    answers = _together(committed, lambda n: {"key": f"k{n}", "client_reference": "case 4711"})
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: THREADS - 1}
    assert _count(committed) == 1


def test_twenty_callers_with_their_own_keys_fill_every_position_once(committed: Care) -> None:
    answers = _together(committed, lambda n: {"key": f"k{n}", "to": f"+4477009{n + 100:05}"})
    assert {answer.status_code for answer in answers} == {201}
    with scope(committed.place):
        positions = ApiMessage.objects.order_by("position").values_list("position", flat=True)
        assert list(positions) == list(range(THREADS))


def test_a_call_does_not_wait_for_its_twin_for_ever(committed: Care, database: Database) -> None:
    own = f"idempotency:{committed.key.key.pk}:POST /api/v1/messages:one"
    with psycopg.connect(database.url("superuser")) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [own])
        answer = committed.push(key="one")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
    assert answer["Retry-After"] == "1"
    assert committed.push(key="one").status_code == 201


def _together(desk: Care, changes: Any) -> list[Any]:
    """Let twenty threads push at the same moment."""
    start = threading.Barrier(THREADS)

    def call(n: int) -> Any:
        start.wait(20)
        try:
            return Care(desk.admin, desk.campaign, desk.key).push(**changes(n))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(call, range(THREADS)))


def _count(desk: Care) -> int:
    with scope(desk.place):
        assert Progress.objects.get(campaign=desk.campaign).total == ApiMessage.objects.count()
        return ApiMessage.objects.count()

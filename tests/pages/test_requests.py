"""What stands around every request: its number, error pages, a database that is away, health."""

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.test import Client

from audit.queries.away import is_connection_lost
from message_center.errors import PAGES
from tests.conftest import Database
from tests.workspaces import make
from workspaces.rules.permissions import Role


@pytest.fixture
def site(settings: object) -> Client:
    """A browser on the product's addresses and those of tests/pages/site.py."""
    settings.ROOT_URLCONF = "tests.pages.site"  # type: ignore[attr-defined]
    return Client(raise_request_exception=False)


# --- numbers -----------------------------------------------------------------------------------


def test_every_answer_has_a_number_of_its_own(client: Client) -> None:
    first, second = (client.get("/health/live/")["X-Request-ID"] for _ in range(2))
    assert len(first) == 32
    assert first != second


def test_a_well_formed_number_of_the_caller_is_kept(client: Client) -> None:
    answer = client.get("/health/live/", headers={"X-Request-ID": "care-portal-0001"})
    assert answer["X-Request-ID"] == "care-portal-0001"


@pytest.mark.parametrize("given", ["short", "a" * 65, "with space 123", "új-szám-00000"])
def test_any_other_number_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/health/live/", HTTP_X_REQUEST_ID=given)
    assert len(answer["X-Request-ID"]) == 32


# --- error pages -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"), [("/breaks/", 500), ("/suspects/", 400), ("/no/", 404)]
)
def test_an_error_page_says_what_to_do_and_its_number(site: Client, path: str, status: int) -> None:
    answer = site.get(path)
    text = answer.content.decode()
    assert answer.status_code == status
    assert str(PAGES[str(status)].lede) in text
    assert answer["X-Request-ID"] in text
    assert "447700900123" not in text


@pytest.mark.parametrize("is_demo", [False, True])
def test_the_demo_says_that_nothing_is_there_like_production(
    client: Client, settings: LazySettings, is_demo: bool
) -> None:
    settings.DEBUG = is_demo
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert str(PAGES["404"].lede) in answer.content.decode()


@pytest.mark.parametrize(("path", "code"), [("/api/v1/no/", "not_found")])
def test_programs_get_a_problem_document(site: Client, path: str, code: str) -> None:
    answer = site.get(path)
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["request_id"]) == (code, answer["X-Request-ID"])


def test_a_form_without_a_token_is_told_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"email": "a@example.com"})
    assert answer.status_code == 403
    assert "your form is still filled in" in answer.content.decode()
    assert "CSRF" not in answer.content.decode()


def test_error_pages_ask_the_database_nothing(site: Client) -> None:
    # Without a database fixture, any query would fail this test.
    assert site.get("/no/").status_code == 404
    assert site.get("/breaks/").status_code == 500


# --- a database that is away -------------------------------------------------------------------


def away(database: Database) -> None:
    """Take the database away under the product's feet."""
    database.ground.drop(database.name)


def test_a_page_says_that_the_database_is_away(database: Database) -> None:
    client = make.signed_in(make.member(make.workspace("care"), Role.ADMIN))
    client.raise_request_exception = False
    away(database)
    for _ in range(2):  # the connection that broke, and one that cannot be made
        answer = client.get("/w/care/members/")
        assert answer.status_code == 503
        assert str(PAGES["503"].lede) in answer.content.decode()
        assert answer["Retry-After"] == "5"


def test_a_form_that_is_sent_meanwhile_says_it_too(database: Database) -> None:
    away(database)
    client = Client(raise_request_exception=False)
    answer = client.post("/sign-in/", {"email": "a@example.com", "password": "something"})
    assert answer.status_code == 503


def test_programs_get_a_problem_document_when_it_is_away(database: Database) -> None:
    away(database)
    client = Client(raise_request_exception=False)
    answer = client.get("/api/v1/me", headers={"Authorization": "Bearer mc_nothing"})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_down")


def test_a_statement_that_was_cut_short_is_not_a_lost_database(database: Database) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError) as cut:
        cursor.execute("SET statement_timeout = 10; SELECT pg_sleep(5)")
    assert not is_connection_lost(cut.value)


def test_a_connection_that_the_server_ends_is_lost(database: Database) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError) as ended:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert is_connection_lost(ended.value)
    connection.close()


# --- health ------------------------------------------------------------------------------------


def test_live_asks_nothing(client: Client) -> None:
    assert client.get("/health/live/").json() == {"live": True}


@pytest.mark.django_db
def test_ready_asks_the_database_and_the_broker(client: Client) -> None:
    answer = client.get("/health/ready/")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": True})


@pytest.mark.django_db
def test_a_missing_broker_is_named_and_work_goes_on(client: Client, settings: object) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
    answer = client.get("/health/ready/")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": False})


def test_without_its_database_the_product_is_not_ready(database: Database) -> None:
    away(database)
    answer = Client().get("/health/ready/")
    assert (answer.status_code, answer.json()["database"]) == (503, False)

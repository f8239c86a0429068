"""The test ground itself: what the fixtures promise."""

import psycopg
import pytest
from django.db import connection, connections

from message_center.celery import app as celery_app
from tests.conftest import Database


def current(alias: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_database()")
        return str(cursor.fetchone()[0])


def test_database_tests_have_a_clone_of_their_own(database: Database) -> None:
    assert current("default") == database.name == current("denied")


def test_database_tests_have_two_connections(database: Database) -> None:
    assert connections["default"] is not connections["denied"]


def test_rolled_back_tests_share_one_connection(db: None) -> None:
    assert connections["default"] is connections["denied"]
    assert current("default") == "mc_shared"


def test_tests_run_as_the_runtime_role(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("mc_app",)


def test_the_runtime_role_cannot_make_tables(database: Database) -> None:
    with (
        psycopg.connect(database.url("app")) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        app.execute("CREATE TABLE mine (id int)")


def test_tasks_go_through_the_broker() -> None:
    assert celery_app.conf.task_always_eager is False

"""Every address of lists and opt-outs, for everybody who may come."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from campaigns.actions.opt_outs import add_opt_out
from campaigns.urls import lists, opt_outs
from tests.campaigns.lists import NOW, finished, ordered, uploaded
from tests.workspaces import make
from tests.workspaces.everybody import EVERYBODY, row
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db

OK, GO, BAD, NO, GONE = 200, 302, 400, 403, 404


def lists_for(status: int) -> Mapping[str, int]:
    """Who uploads and keeps lists: those who write campaigns; moderators only judge them."""
    return row(NO, status, status, NO, status, status, NO, GONE, GO)


def opt_outs_for(status: int) -> Mapping[str, int]:
    """Who opts out: everybody but viewers."""
    return row(NO, status, status, status, status, status, NO, GONE, GO)


READ = row(OK, OK, OK, OK, OK, OK, OK, GONE, GO)
DOORS: list[tuple[str, str, Mapping[str, int]]] = [
    ("GET", "lists", READ),
    ("GET", "list_page", READ),
    ("GET", "list_progress", READ),
    ("GET", "list_waterfall", READ),
    ("GET", "list_new", lists_for(OK)),
    ("POST", "list_new", lists_for(OK)),
    ("POST", "list_start", lists_for(BAD)),
    ("GET", "list_file", lists_for(OK)),
    ("PUT", "list_file", lists_for(BAD)),
    ("POST", "list_finish", lists_for(BAD)),
    ("POST", "list_discard", lists_for(GO)),
    ("GET", "list_columns", lists_for(GO)),
    ("POST", "list_columns", lists_for(GO)),
    ("POST", "list_keep", lists_for(GO)),
    # Who may not see numbers is sent back to the page with a sentence.
    ("POST", "list_rejects", row(NO, GO, GO, NO, OK, OK, NO, GONE, GO)),
    ("GET", "opt_outs", READ),
    ("GET", "opt_out_find", row(GO, GO, GO, GO, GO, GO, GO, GONE, GO)),
    ("POST", "opt_out_find", READ),
    ("GET", "opt_out_add", opt_outs_for(OK)),
    ("POST", "opt_out_add", opt_outs_for(OK)),
    ("GET", "opt_out_import", opt_outs_for(OK)),
    ("POST", "opt_out_import", opt_outs_for(OK)),
    ("GET", "opt_out_lift", opt_outs_for(OK)),
    ("POST", "opt_out_lift", opt_outs_for(OK)),
]


@pytest.fixture
def stage(db: None, settings: Settings, tmp_path: Path) -> tuple[Me, dict[str, int]]:
    """A workspace with a ready list and an opt-out, and their ids."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    author = make.me_in(make.workspace("care"), Role.AUTHOR)
    lst = finished(author, ordered(author))
    with scope(author.here):
        one = add_opt_out(by=author, text="07700900001", country="GB", words="call", now=NOW)
    return author, {"list_id": lst.pk, "opt_out_id": one.pk}


def visitor(author: Me, who: str) -> Client:
    """Return somebody's browser."""
    if who == "anonymous":
        return Client()
    if who in {"visitor", "master"}:
        root = make.user(is_super_admin=True)
        if who == "visitor":
            make.visit(author.here, root)
        return make.signed_in(root)
    return make.signed_in(make.user() if who == "stranger" else make.member(author.here, who))


def address(name: str, ids: Mapping[str, int]) -> str:
    """Return the address of a door about what is on the stage."""
    patterns: list[Any] = [*lists.urlpatterns, *opt_outs.urlpatterns]
    (pattern,) = [one for one in patterns if one.name == name]
    wanted = {key: ids[key] for key in pattern.pattern.converters}
    return reverse(f"campaigns:{name}", kwargs={"workspace": "care", **wanted})


@pytest.mark.parametrize(("method", "name", "expected"), DOORS)
def test_everybody_gets_what_the_table_says(
    stage: tuple[Me, dict[str, int]], method: str, name: str, expected: Mapping[str, int]
) -> None:
    author, ids = stage
    got = {
        who: visitor(author, who).generic(method, address(name, ids)).status_code
        for who in EVERYBODY
    }
    assert got == expected


def test_every_address_is_in_the_table() -> None:
    named = {pattern.name for pattern in (*lists.urlpatterns, *opt_outs.urlpatterns)}
    assert named == {name for _method, name, _expected in DOORS}


def test_a_signed_in_stranger_cannot_tell_a_list_that_is_there(
    stage: tuple[Me, dict[str, int]],
) -> None:
    author, ids = stage
    client = make.signed_in(make.user())
    there = client.get(address("list_page", ids))
    missing = client.get(address("list_page", {"list_id": 999_999_999}))
    assert there.status_code == missing.status_code == GONE
    assert author.here.name not in there.content.decode()


def test_a_number_in_the_path_beyond_the_database_is_404(
    stage: tuple[Me, dict[str, int]],
) -> None:
    author, _ids = stage
    client = make.signed_in(author.user)
    for path in ("lists/99999999999999999999/", "optouts/99999999999999999999/lift/"):
        assert client.get(f"/w/care/{path}").status_code == GONE
    assert client.get("/w/care/lists/?before=99999999999999999999").status_code == OK
    assert client.get("/w/care/optouts/?before=99999999999999999999").status_code == OK


def test_only_what_the_doors_know_is_answered(stage: tuple[Me, dict[str, int]]) -> None:
    author, ids = stage
    client = make.signed_in(author.user)
    for name in ("list_rejects", "list_keep", "list_discard", "list_finish", "list_start"):
        assert client.get(address(name, ids)).status_code == 405


def test_columns_are_open_to_the_uploader_only_in_earnest(
    stage: tuple[Me, dict[str, int]],
) -> None:
    author, _ids = stage
    lst = uploaded(author)
    admin = make.signed_in(make.member(author.here, Role.ADMIN))
    path = address("list_columns", {"list_id": lst.pk})
    values = {"delimiter": ",", "has_header": "on", "country": "GB", "use_0": "number"}
    answer = admin.post(path, values | {"use_1": "skip"})
    assert "Only the person who began this upload" in answer.content.decode()

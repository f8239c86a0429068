"""The pages of opt-outs over the product's own addresses."""

from pathlib import Path
from typing import Protocol

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from campaigns.models import OptOut
from tests.workspaces import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

HOME = "/w/care/optouts/"
ONE = {"number": "07700 900001", "country": "GB", "words": "call to the care desk"}


class Answer(Protocol):
    """What these tests look at of a response."""

    content: bytes
    status_code: int


@pytest.fixture
def author(db: None) -> Me:
    return make.me_in(make.workspace("care"), Role.AUTHOR)


@pytest.fixture
def client(author: Me) -> Client:
    return make.signed_in(author.user)


def text(response: Answer) -> str:
    """Return a page's text with single spaces."""
    return " ".join(response.content.decode().split())


def ids(author: Me) -> list[int]:
    """Return all opt-outs, oldest first."""
    with scope(author.here):
        return list(OptOut.objects.order_by("pk").values_list("pk", flat=True))


def test_nobody_opted_out_is_said_in_words(author: Me, client: Client) -> None:
    assert "Nobody is opted out" in text(client.get(HOME))
    assert "No opt-out has been lifted." in text(client.get(f"{HOME}?show=lifted"))


def test_an_added_number_is_listed_masked(author: Me, client: Client) -> None:
    answer = client.post(f"{HOME}add/", ONE, follow=True)
    page = text(answer)
    assert "The number is opted out." in page
    assert "+44 77 ••• ••• 01" in page
    assert "7700900001" not in page.replace(" ", "")
    assert "call to the care desk" in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": ""}, "Type a phone number."),
        ({"number": "12"}, "Digits are missing."),
        ({"words": ""}, "Say where the wish came from."),
        ({"country": "XX"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_added_is_said_at_its_field(
    author: Me, client: Client, change: dict[str, str], words: str
) -> None:
    page = text(client.post(f"{HOME}add/", ONE | change))
    assert words in page
    assert 'aria-invalid="true"' in page
    assert ids(author) == []


def test_a_number_is_found_by_post_and_stands_in_no_address(author: Me, client: Client) -> None:
    client.post(f"{HOME}add/", ONE)
    answer = client.post(f"{HOME}find/", {"number": "+447700900001", "country": "GB"})
    assert answer.status_code == 200
    assert text(answer).count("+44 77 ••• ••• 01") >= 2
    assert client.get(f"{HOME}find/?number=447700900001")["Location"] == HOME


def test_a_number_that_never_opted_out_is_said_to_be_free(author: Me, client: Client) -> None:
    values = {"number": "07700900009", "country": "GB"}
    assert "never was" in text(client.post(f"{HOME}find/", values))
    assert "Digits are missing." in text(
        client.post(f"{HOME}find/", {"number": "077", "country": "GB"})
    )


def test_a_viewer_finds_and_does_not_add(author: Me) -> None:
    viewer = make.signed_in(make.me_in(author.here, Role.VIEWER).user)
    assert viewer.post(f"{HOME}find/", {"number": "07700900009"}).status_code == 200
    assert "Add a number" not in text(viewer.get(HOME))
    for path in ("add/", "import/"):
        assert viewer.get(f"{HOME}{path}").status_code == 403
        assert viewer.post(f"{HOME}{path}", ONE).status_code == 403


def test_pasted_numbers_are_imported_and_summed_up(author: Me, client: Client) -> None:
    values = ONE | {"numbers": "07700900001\n07700900002\n<b>x</b>\n07700900001\n"}
    page = text(client.post(f"{HOME}import/", values))
    assert "<b>2 numbers</b> are opted out" in page
    assert "1 row was left out" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert len(ids(author)) == 2


def test_a_file_of_numbers_is_imported(author: Me, client: Client) -> None:
    file = SimpleUploadedFile("stop.csv", b"phone\n07700900001\n")
    page = text(client.post(f"{HOME}import/", ONE | {"file": file}))
    assert "<b>1 number</b> is opted out" in page


def test_an_import_needs_a_file_or_numbers(author: Me, client: Client) -> None:
    assert "Choose a file or paste numbers." in text(client.post(f"{HOME}import/", ONE))


def test_an_import_needs_its_token(author: Me) -> None:
    strict = Client(enforce_csrf_checks=True)
    make.sign_in(strict, author.user)
    answer = strict.post(f"{HOME}import/", ONE | {"numbers": "07700900001"})
    assert answer.status_code == 403
    assert ids(author) == []


def test_an_import_of_a_huge_file_is_refused(author: Me, client: Client) -> None:
    file = SimpleUploadedFile("stop.csv", b"x" * 11_500_000)
    answer = client.post(f"{HOME}import/", ONE | {"file": file})
    assert answer.status_code == 413
    assert "10 MB" in text(answer)


def test_an_import_of_a_workbook_says_what_to_do(author: Me, client: Client) -> None:
    file = SimpleUploadedFile("stop.xlsx", b"PK\x03\x04")
    assert "This is an Excel workbook." in text(client.post(f"{HOME}import/", ONE | {"file": file}))


def test_lifting_asks_why(author: Me, client: Client) -> None:
    client.post(f"{HOME}add/", ONE)
    (one,) = ids(author)
    address = f"{HOME}{one}/lift/"
    assert "Lift the opt-out of +44 77 ••• ••• 01?" in text(client.get(address))
    assert "Say why" in text(client.post(address, {"reason": ""}))
    answer = client.post(address, {"reason": "asked by e-mail"}, follow=True)
    assert "The opt-out is lifted." in text(answer)
    assert "Lifted" in text(client.get(f"{HOME}?show=lifted"))
    assert "It is lifted already." in text(client.get(address))
    assert "lifted already" in text(client.post(address, {"reason": "again"}))


def test_a_neighbours_opt_out_does_not_exist(author: Me, client: Client) -> None:
    client.post(f"{HOME}add/", ONE)
    (one,) = ids(author)
    stranger = make.signed_in(make.me_in(make.workspace("roaming"), Role.ADMIN).user)
    address = f"/w/roaming/optouts/{one}/lift/"
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, {"reason": "mine now"}).status_code == 404


def test_older_opt_outs_are_one_press_away(
    author: Me, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("campaigns.queries.opt_outs.PAGE", 2)
    client.post(f"{HOME}import/", ONE | {"numbers": "07700900001\n07700900002\n07700900003\n"})
    made = ids(author)
    assert f"before={made[1]}" in text(client.get(HOME))
    assert f"{HOME}{made[0]}/lift/" in text(client.get(f"{HOME}?before={made[1]}"))

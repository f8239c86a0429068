"""The pages of recipient lists over the product's own addresses: every step, role and bad input."""

import csv
import io
from pathlib import Path
from typing import Any, Protocol

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django import Settings

from campaigns.models import ListState, RecipientList
from tests.campaigns.lists import PEOPLE, again, begun, counts, finished, ordered, sent, uploaded
from tests.workspaces import make
from tests.workspaces.log import ops
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

HOME = "/w/care/lists/"
COLUMNS = {"delimiter": ",", "has_header": "on", "country": "GB"}
USES = {"use_0": "number", "name_0": "phone", "use_1": "name", "name_1": "name"}


class Answer(Protocol):
    """What these tests look at of a response."""

    content: bytes
    status_code: int


@pytest.fixture
def author(db: None, settings: Settings, tmp_path: Path) -> Me:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    return make.me_in(make.workspace("care"), Role.AUTHOR)


@pytest.fixture
def client(author: Me) -> Client:
    return make.signed_in(author.user)


def as_role(author: Me, role: Role) -> Client:
    """Return a client of another member."""
    return make.signed_in(make.me_in(author.here, role).user)


def text(response: Answer) -> str:
    """Return a page's text with single spaces."""
    return " ".join(response.content.decode().split())


def newest(author: Me) -> RecipientList:
    """Return the list made last."""
    with scope(author.here):
        return RecipientList.objects.select_related("workspace").latest("pk")


def body_of(response: Any) -> str:
    """Return the whole of a streamed file, read as a spreadsheet reads it."""
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]


def put(client: Client, address: str, data: bytes, offset: int | str) -> Any:
    """Send a piece as the script does."""
    headers = {"Upload-Offset": str(offset)}
    return client.put(address, data, content_type="application/octet-stream", headers=headers)


def test_the_script_uploads_in_pieces_and_is_told_where_to_go_on(
    author: Me, client: Client
) -> None:
    values = {"file_name": "people.csv", "size": str(len(PEOPLE)), "name": "Friends"}
    to = client.post(f"{HOME}start/", values).json()
    assert put(client, to["file"], PEOPLE[:9], 0).json() == {"offset": 9}
    assert client.get(to["file"]).json() == {"offset": 9, "size": len(PEOPLE)}
    assert put(client, to["file"], PEOPLE[9:], 9).json() == {"offset": len(PEOPLE)}
    lst = newest(author)
    assert client.post(to["finish"]).json() == {"page": f"{HOME}{lst.pk}/columns/"}
    assert (again(lst).name, again(lst).state) == ("Friends", ListState.UPLOADED)


def test_a_piece_out_of_place_is_answered_with_the_right_place(author: Me, client: Client) -> None:
    lst = begun(author, PEOPLE)
    answer = put(client, f"{HOME}{lst.pk}/file/", PEOPLE, 5)
    assert (answer.status_code, answer.json()["offset"]) == (409, "0")


@pytest.mark.parametrize("offset", ["", "-1", "x", "²"])
def test_a_piece_without_a_place_is_refused(author: Me, client: Client, offset: str) -> None:
    lst = begun(author, PEOPLE)
    address = f"{HOME}{lst.pk}/file/"
    headers = {"Upload-Offset": offset.encode("utf-8").decode("latin-1")}
    answer = client.put(address, PEOPLE, content_type="application/octet-stream", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "refused")


def test_a_piece_beyond_what_was_announced_is_413(author: Me, client: Client) -> None:
    lst = begun(author, PEOPLE)
    answer = put(client, f"{HOME}{lst.pk}/file/", PEOPLE + b"x", 0)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_full_disk_is_507_with_a_sentence(
    author: Me, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.actions.list_files.SPARE_BYTES", 1 << 60)
    answer = client.post(f"{HOME}start/", {"file_name": "people.csv", "size": "10"})
    assert answer.status_code == 507
    assert "no room" in answer.json()["sentence"]


def test_a_file_beyond_the_cap_is_refused_by_its_announced_size(
    author: Me, client: Client, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 100
    answer = client.post(f"{HOME}start/", {"file_name": "people.csv", "size": "101"})
    assert answer.status_code == 413
    assert answer.json()["sentence"] == "A file may have 100 bytes at the most. Split the list."


@pytest.mark.parametrize("size", ["", "x", "-5", "²"])
def test_a_size_that_is_none_is_an_empty_file(author: Me, client: Client, size: str) -> None:
    answer = client.post(f"{HOME}start/", {"file_name": "people.csv", "size": size})
    assert (answer.status_code, answer.json()["field"]) == (400, "file")


def test_a_piece_needs_its_token(author: Me) -> None:
    lst = begun(author, PEOPLE)
    strict = Client(enforce_csrf_checks=True)
    make.sign_in(strict, author.user)
    assert put(strict, f"{HOME}{lst.pk}/file/", PEOPLE, 0).status_code == 403


def test_without_script_the_form_brings_the_file(author: Me, client: Client) -> None:
    values = {"file": SimpleUploadedFile("people.csv", PEOPLE), "name": "Friends"}
    answer = client.post(f"{HOME}new/", values)
    lst = newest(author)
    assert answer["Location"] == f"{HOME}{lst.pk}/columns/"
    assert (lst.name, lst.size_bytes) == ("Friends", len(PEOPLE))


def test_the_form_needs_its_token_too(author: Me) -> None:
    strict = Client(enforce_csrf_checks=True)
    make.sign_in(strict, author.user)
    answer = strict.post(f"{HOME}new/", {"file": SimpleUploadedFile("people.csv", PEOPLE)})
    assert answer.status_code == 403
    with scope(author.here):
        assert not RecipientList.objects.exists()


def test_a_form_that_announces_too_much_is_refused_unread(
    author: Me, client: Client, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 10
    data = SimpleUploadedFile("people.csv", b"x" * 2_000_000)
    answer = client.post(f"{HOME}new/", {"file": data})
    assert answer.status_code == 413
    assert "larger than a list may be" in text(answer)


def test_a_form_whose_file_is_too_large_is_stopped_on_the_way(
    author: Me, client: Client, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 10
    answer = client.post(f"{HOME}new/", {"file": SimpleUploadedFile("people.csv", PEOPLE)})
    assert answer.status_code == 413
    with scope(author.here):
        assert not RecipientList.objects.exists()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("people.csv", b"", "The file is empty"),
        ("people.xlsx", b"PK\x03\x04", "This is an Excel workbook"),
    ],
)
def test_a_form_with_a_bad_file_says_so_at_the_field(
    author: Me, client: Client, name: str, data: bytes, words: str
) -> None:
    answer = client.post(f"{HOME}new/", {"file": SimpleUploadedFile(name, data)})
    assert words in text(answer)
    assert 'aria-invalid="true"' in text(answer)


def test_a_form_without_a_file_asks_for_one(author: Me, client: Client) -> None:
    assert "Choose a file." in text(client.post(f"{HOME}new/", {}))


def test_a_file_that_cannot_be_read_has_a_page_that_says_why(author: Me, client: Client) -> None:
    data = SimpleUploadedFile("people.csv", b"%PDF-1.7")
    answer = client.post(f"{HOME}new/", {"file": data}, follow=True)
    assert "This is not a text file." in text(answer)
    assert "Upload another file" in text(answer)


def test_columns_show_the_first_rows_masked(author: Me, client: Client) -> None:
    page = text(client.get(f"{HOME}{uploaded(author).pk}/columns/"))
    assert "+44 77 ••• ••• 01" in page
    assert "7700900001" not in page
    assert "Ann" in page


def test_columns_can_be_looked_at_again(author: Me, client: Client) -> None:
    lst = uploaded(author, b"phone,x;name\n07700900001,y;Ann\n")
    values = {"delimiter": ";", "has_header": "on", "country": "GB", "again": "1"}
    page = text(client.post(f"{HOME}{lst.pk}/columns/", values))
    assert "phone,x" in page
    assert again(lst).state == ListState.UPLOADED


def test_chosen_columns_order_the_import(author: Me, client: Client) -> None:
    lst = uploaded(author)
    answer = client.post(f"{HOME}{lst.pk}/columns/", COLUMNS | USES)
    assert answer["Location"] == f"{HOME}{lst.pk}/"
    assert (again(lst).state, again(lst).columns) == (ListState.IMPORTING, ["name"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"use_1": "number"}, "Choose one column with the phone numbers."),
        ({"use_0": "skip"}, "Choose one column with the phone numbers."),
        ({"name_1": "First Name"}, "A placeholder name has a-z"),
        ({"name_1": ""}, "A placeholder name has a-z"),
        ({"country": "XX"}, "Select a valid choice"),
    ],
)
def test_columns_that_do_not_fit_are_refused_and_nothing_typed_is_lost(
    author: Me, client: Client, change: dict[str, str], words: str
) -> None:
    lst = uploaded(author)
    page = text(client.post(f"{HOME}{lst.pk}/columns/", COLUMNS | USES | change))
    assert words in page
    assert change.get("name_1", "") in page
    assert again(lst).state == ListState.UPLOADED


def test_columns_of_a_list_that_moved_on_lead_to_its_page(author: Me, client: Client) -> None:
    lst = ordered(author)
    assert client.get(f"{HOME}{lst.pk}/columns/")["Location"] == f"{HOME}{lst.pk}/"
    answer = client.post(f"{HOME}{lst.pk}/columns/", COLUMNS | USES, follow=True)
    assert "changed meanwhile" in text(answer)


def test_the_live_part_asks_for_the_whole_page_when_all_is_done(author: Me, client: Client) -> None:
    lst = ordered(author)
    going = client.get(f"{HOME}{lst.pk}/progress/")
    assert 'hx-trigger="every 2s"' in text(going)
    assert "HX-Refresh" not in going
    finished(author, lst)
    over = client.get(f"{HOME}{lst.pk}/progress/")
    assert over["HX-Refresh"] == "true"
    assert "hx-trigger" not in text(over)


def test_a_ready_list_shows_its_waterfall_and_faults(author: Me, client: Client) -> None:
    lst = finished(author, ordered(author, PEOPLE + b"9.98E+11,Cy\n07700900001,Ann\n"))
    page = text(client.get(f"{HOME}{lst.pk}/"))
    for words in (
        "2 people",
        "1 row has a fault",
        "The spreadsheet shortened the number.",
        "9.98E+11",
        "−1 with a fault",
        "−1 duplicate",
        "Not opted out now",
    ):
        assert words in page
    assert "7700900001" not in page


def test_opt_outs_of_a_long_list_are_counted_after_the_page_is_there(
    author: Me, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.views.lists.COUNTED_AT_ONCE", 1)
    lst = finished(author, ordered(author))
    page = text(client.get(f"{HOME}{lst.pk}/"))
    assert "Not opted out now" not in page
    assert f'hx-get="{HOME}{lst.pk}/waterfall/"' in page
    for address in (f"{HOME}{lst.pk}/waterfall/", f"{HOME}{lst.pk}/?count=1"):
        assert "Not opted out now" in text(client.get(address))


def test_nothing_of_a_file_is_taken_for_markup(author: Me, client: Client) -> None:
    evil = "<script>alert(1)</script>"
    data = f"phone,{evil}\n{evil},{evil}\n07700900001,{evil}\n".encode()
    lst = uploaded(author, data, f"{evil}.csv")
    pages = [text(client.get(f"{HOME}{lst.pk}/columns/"))]
    client.post(f"{HOME}{lst.pk}/columns/", COLUMNS | USES)
    finished(author, lst)
    pages += [text(client.get(f"{HOME}{lst.pk}/")), text(client.get(HOME))]
    for page in pages:
        assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in pages[1]


def test_the_reject_file_has_rows_reasons_and_no_formula(author: Me, client: Client) -> None:
    evil = '=HYPERLINK("http://x")'
    cells = ["phone,name", "+12,=1+1", f'"{evil.replace(chr(34), chr(34) * 2)}",@x', "12,\t-1"]
    lst = finished(author, ordered(author, "\n".join([*cells, "07700900001,A"]).encode()))
    answer = client.post(f"{HOME}{lst.pk}/rejects/")
    assert answer["Content-Disposition"] == f'attachment; filename="rejected-rows-{lst.pk}.csv"'
    rows = list(csv.reader(io.StringIO(body_of(answer))))
    assert rows == [
        ["Row", "Reason", "phone", "name"],
        ["2", "Digits are missing.", "'+12", "'=1+1"],
        ["3", "This is not a phone number. Use digits only.", f"'{evil}", "'@x"],
        ["4", "Digits are missing.", "12", "'\t-1"],
    ]
    assert ops(author.here)[-1] == (
        "messages.export",
        f"lst_{lst.pk}",
        {"rejected_rows": [None, 3]},
    )


def test_a_mended_reject_file_can_be_uploaded_as_it_is(author: Me, client: Client) -> None:
    lst = finished(author, ordered(author, b"phone\n+4477009,\n07700900001\n", names={}))
    mended = body_of(client.post(f"{HOME}{lst.pk}/rejects/")).replace("+4477009", "+447700900002")
    second = finished(author, ordered(author, mended.encode(), number_column=2, names={}))
    assert counts(second) == (1, 1, 0, 0)


def test_the_reject_file_is_for_the_uploader_and_those_who_see_numbers(author: Me) -> None:
    lst = finished(author, ordered(author, PEOPLE + b"12,Cy\n"))
    address = f"{HOME}{lst.pk}/rejects/"
    other = as_role(author, Role.AUTHOR).post(address, follow=True)
    assert "Ask the person who uploaded the list." in text(other)
    assert body_of(as_role(author, Role.ADMIN).post(address)).count("\n") == 2
    assert as_role(author, Role.VIEWER).post(address).status_code == 403


def test_a_viewer_sees_lists_and_no_way_to_change_them(author: Me) -> None:
    lst = finished(author, ordered(author))
    viewer = as_role(author, Role.VIEWER)
    pages = text(viewer.get(HOME)) + text(viewer.get(f"{HOME}{lst.pk}/"))
    for words in ("Upload a list", "Archive<", "All faults"):
        assert words not in pages


@pytest.mark.parametrize("path", ["", "columns/", "progress/", "file/"])
def test_a_neighbours_list_does_not_exist(author: Me, path: str) -> None:
    lst = uploaded(author)
    stranger = make.me_in(make.workspace("roaming"), Role.ADMIN)
    client = make.signed_in(stranger.user)
    assert client.get(f"/w/roaming/lists/{lst.pk}/{path}").status_code == 404


def test_archived_lists_stand_on_their_own_page(author: Me, client: Client) -> None:
    lst = finished(author, ordered(author))
    answer = client.post(f"{HOME}{lst.pk}/keep/", {"act": "archive"}, follow=True)
    assert "The list is archived." in text(answer)
    assert f"{HOME}{lst.pk}/" not in text(client.get(HOME))
    assert f"{HOME}{lst.pk}/" in text(client.get(f"{HOME}?show=archived"))
    answer = client.post(f"{HOME}{lst.pk}/keep/", {"act": "restore"}, follow=True)
    assert "The list is back." in text(answer)


def test_lists_are_paged_by_their_last_one(
    author: Me, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.queries.lists.PAGE", 2)
    made = [begun(author, PEOPLE).pk for _ in range(3)]
    first = text(client.get(HOME))
    assert f"before={made[1]}" in first
    second = text(client.get(f"{HOME}?before={made[1]}"))
    assert f"{HOME}{made[0]}/" in second
    assert f"{HOME}{made[2]}/" not in second


def test_an_empty_workspace_says_what_to_do(author: Me, client: Client) -> None:
    assert "No list yet" in text(client.get(HOME))
    assert "No list is archived." in text(client.get(f"{HOME}?show=archived"))


def test_the_list_of_lists_moves_while_one_is_imported(author: Me, client: Client) -> None:
    ordered(author)
    page = text(client.get(HOME, headers={"HX-Request": "true"}))
    assert 'hx-trigger="every 2s"' in page
    assert "<html" not in page


def test_an_upload_that_waits_offers_to_go_on_and_to_drop_it(author: Me, client: Client) -> None:
    lst = sent(author, PEOPLE)
    page = text(client.get(f"{HOME}{lst.pk}/"))
    assert "The same file again" in page
    assert "Drop the upload" in page
    answer = client.post(f"{HOME}{lst.pk}/discard/", follow=True)
    assert "The upload and its file are gone." in text(answer)
    other = sent(author, PEOPLE)
    page = text(as_role(author, Role.ADMIN).get(f"{HOME}{other.pk}/"))
    assert "uploads this file." in page
    assert "Drop the upload" not in page


def test_dropping_what_is_imported_is_refused(author: Me, client: Client) -> None:
    lst = ordered(author)
    answer = client.post(f"{HOME}{lst.pk}/discard/", follow=True)
    assert "changed meanwhile" in text(answer)


def test_a_guessed_encoding_is_said(author: Me, client: Client) -> None:
    lst = uploaded(author, "phone;имя\n07700900001;Дилноза\n".encode("cp1251"))
    page = text(client.get(f"{HOME}{lst.pk}/columns/"))
    assert "it is read as Windows Cyrillic (1251)" in page
    assert "Дилноза" in page

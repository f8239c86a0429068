"""Uploads in pieces: what arrives, what is refused, and what a broken one leaves behind."""

import fcntl
import io
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from campaigns.actions import lists, uploads
from campaigns.actions.list_files import DiskFull, TooLarge, UploadBusy, UploadRefused, WrongOffset
from campaigns.actions.list_moves import ListRefused, NoSuchList, WrongState
from campaigns.models import ListState, RecipientList
from campaigns.queries.list_files import file_of, received
from tests.campaigns.lists import NOW, PEOPLE, again, begun, finished, ordered, sent, uploaded
from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def author(db: None, settings: Settings, tmp_path: Path) -> Me:
    settings.UPLOAD_DIR = tmp_path / "uploads"
    return make.me_in(make.workspace("care"), Role.AUTHOR)


def append(me: Me, lst: RecipientList, offset: int, data: bytes) -> int:
    """Send a piece."""
    with scope(me.here):
        return lists.append(by=me, list_id=lst.pk, offset=offset, stream=io.BytesIO(data), now=NOW)


def finish(me: Me, lst: RecipientList) -> RecipientList:
    """End the upload."""
    with scope(me.here):
        return lists.finish_upload(by=me, list_id=lst.pk, now=NOW)


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let this process write files of so many bytes: what it meets at the end is a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_pieces_in_order_become_the_file(author: Me) -> None:
    lst = begun(author, PEOPLE)
    assert append(author, lst, 0, PEOPLE[:10]) == 10
    assert append(author, lst, 10, PEOPLE[10:]) == len(PEOPLE)
    assert file_of(lst).read_bytes() == PEOPLE
    assert finish(author, lst).state == ListState.UPLOADED


def test_what_was_seen_and_hashed_stands_on_the_list(author: Me) -> None:
    lst = again(uploaded(author, b"\xef\xbb\xbfphone;first name\n07700900001;Ann\n"))
    assert (lst.encoding, lst.delimiter, lst.has_header) == ("utf-8-sig", ";", True)
    assert (lst.header, lst.number_column) == (["phone", "first name"], 0)
    said = entries(author.here)[-1]
    assert (said["op"], said["obj"]["id"]) == ("list.upload", f"lst_{lst.pk}")
    # A file may hold one number only: its hash is a value, which is masked and can be erased.
    assert (said["diff"], set(said["pd"])) == ({"size_bytes": [None, 36]}, {"sha256"})
    assert lst.sha256 not in str(said)


def test_no_clear_number_of_the_first_rows_is_kept(author: Me) -> None:
    lst = again(uploaded(author))
    assert "7700900001" not in str(lst.__dict__)


@pytest.mark.parametrize("offset", [0, 9, 11, 1_000])
def test_a_piece_at_another_offset_is_refused_and_told_the_right_one(
    author: Me, offset: int
) -> None:
    lst = begun(author, PEOPLE)
    append(author, lst, 0, PEOPLE[:10])
    with pytest.raises(WrongOffset) as refused:
        append(author, lst, offset, PEOPLE[10:])
    assert refused.value.offset == 10
    assert received(lst) == 10


def test_a_stream_that_breaks_off_keeps_what_came(author: Me) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(size)

    lst = begun(author, PEOPLE)
    with scope(author.here), pytest.raises(ConnectionResetError):
        lists.append(by=author, list_id=lst.pk, offset=0, stream=Breaking(PEOPLE[:10]), now=NOW)
    assert append(author, lst, 10, PEOPLE[10:]) == len(PEOPLE)


def test_more_than_announced_is_refused_and_not_kept(author: Me) -> None:
    lst = begun(author, PEOPLE)
    append(author, lst, 0, PEOPLE[:10])
    with pytest.raises(TooLarge):
        append(author, lst, 10, PEOPLE)
    assert received(lst) == 10


def test_a_full_disk_is_said_and_what_was_there_stays(author: Me) -> None:
    lst = begun(author, PEOPLE)
    append(author, lst, 0, PEOPLE[:10])
    with files_up_to(20), pytest.raises(DiskFull) as refused:
        append(author, lst, 10, PEOPLE[10:])
    assert "no room" in refused.value.sentence
    assert append(author, lst, 10, PEOPLE[10:]) == len(PEOPLE)


def test_a_file_that_the_disk_has_no_room_for_is_refused_before_it_comes(
    author: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.actions.list_files.SPARE_BYTES", 1 << 60)
    with pytest.raises(DiskFull):
        begun(author, PEOPLE)
    assert not RecipientList.objects.exists()


def test_a_file_beyond_the_cap_is_refused_before_it_comes(author: Me, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1_000
    with pytest.raises(TooLarge, match="1 kB"):
        begun(author, b"x" * 1_001)


def test_two_windows_do_not_write_one_file(author: Me) -> None:
    lst = begun(author, PEOPLE)
    append(author, lst, 0, PEOPLE[:10])
    with file_of(lst).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UploadBusy):
            append(author, lst, 10, PEOPLE[10:])
    assert received(lst) == 10


def test_a_file_is_ours_alone_under_a_name_of_ours(author: Me) -> None:
    lst = sent(author, PEOPLE, "../../etc/pass\u202ewd.csv")
    path = file_of(lst)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.parent.name == str(author.here.uuid)
    assert (lst.file_name, lst.name) == ("passwd.csv", "passwd")
    assert "passwd" not in str(path)


def test_a_link_in_place_of_the_file_is_not_followed(author: Me, tmp_path: Path) -> None:
    lst = begun(author, PEOPLE)
    file_of(lst).parent.mkdir(parents=True)
    (tmp_path / "victim").write_bytes(b"")
    file_of(lst).symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        append(author, lst, 0, PEOPLE)


@pytest.mark.parametrize("name", ["people.xlsx", "PEOPLE.XLS", "people.zip"])
def test_a_workbook_is_refused_by_its_name(author: Me, name: str) -> None:
    with pytest.raises(UploadRefused, match="Excel workbook"):
        begun(author, PEOPLE, name)


def test_an_empty_file_is_refused(author: Me) -> None:
    with pytest.raises(UploadRefused, match="file is empty"):
        begun(author, b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04", "Excel workbook"),
        (b"%PDF-1.7", "not a text file"),
        (b"\n\n", "The file is empty"),
        (b"phone,name\n", "header and no rows"),
        (b"c," * 300 + b"\n", "more than 200 columns"),
        (b'"phone\n', "cannot be read"),
    ],
)
def test_a_file_that_is_no_list_fails_with_its_sentence(
    author: Me, data: bytes, words: str
) -> None:
    lst = uploaded(author, data)
    assert lst.state == ListState.FAILED
    assert words in lst.failure
    assert entries(author.here)[-1]["op"] == "list.fail"
    with scope(author.here):
        uploads.forget_file(lst)
    assert not file_of(lst).exists()


def test_an_upload_is_not_finished_before_its_last_byte(author: Me) -> None:
    lst = begun(author, PEOPLE)
    append(author, lst, 0, PEOPLE[:-1])
    with pytest.raises(UploadRefused, match="1 bytes of the file"):
        finish(author, lst)


def test_only_the_person_who_began_goes_on(author: Me) -> None:
    lst = begun(author, PEOPLE)
    other = make.me_in(author.here, Role.ADMIN)
    with pytest.raises(ListRefused, match="Only the person"):
        append(other, lst, 0, PEOPLE)


def test_an_upload_of_another_workspace_does_not_exist(author: Me) -> None:
    lst = begun(author, PEOPLE)
    stranger = make.me_in(make.workspace("roaming"), Role.ADMIN)
    with pytest.raises(NoSuchList):
        append(stranger, lst, 0, PEOPLE)


def test_what_is_finished_takes_no_more_bytes(author: Me) -> None:
    lst = uploaded(author)
    with pytest.raises(WrongState):
        append(author, lst, len(PEOPLE), b"07700900003,Eve\n")


def test_a_dropped_upload_leaves_nothing(author: Me) -> None:
    lst = uploaded(author)
    with scope(author.here):
        lists.discard(by=author, list_id=lst.pk, now=NOW)
        assert not RecipientList.objects.filter(pk=lst.pk).exists()
    assert not file_of(lst).exists()
    assert ops(author.here)[-1][:2] == ("list.delete", f"lst_{lst.pk}")


def test_a_list_that_is_imported_cannot_be_dropped(author: Me) -> None:
    lst = ordered(author)
    with scope(author.here), pytest.raises(WrongState):
        lists.discard(by=author, list_id=lst.pk, now=NOW)


def test_an_upload_left_for_a_day_fails(author: Me) -> None:
    lst = sent(author, PEOPLE)
    fresh = begun(author, PEOPLE)
    with scope(author.here):
        RecipientList.objects.filter(pk=fresh.pk).update(touched_at=NOW + timedelta(hours=2))
        assert uploads.give_up_uploads(NOW + timedelta(hours=25)) == 1
    assert (again(lst).state, again(fresh).state) == (ListState.FAILED, ListState.UPLOADING)
    assert entries(author.here)[-1]["act"]["id"] == "importer"


def test_a_ready_list_forgets_its_file(author: Me) -> None:
    lst = finished(author, ordered(author))
    path = file_of(lst)
    assert path.exists()
    with scope(author.here):
        uploads.forget_file(lst)
    assert not path.exists()
    assert again(lst).file_key == ""


def test_a_list_that_another_worker_imports_keeps_its_file(author: Me) -> None:
    lst = ordered(author)
    with scope(author.here):
        uploads.forget_file(lst)
    assert file_of(lst).exists()
    assert finished(author, lst).state == ListState.READY


def test_a_form_that_takes_no_file_puts_none_on_the_disk(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    file = SimpleUploadedFile("big.bin", b"x" * 300_000)
    answer = client.post("/sign-in/", {"email": "a@example.com", "password": "x", "more": file})
    assert answer.status_code < 500
    assert "more" not in answer.wsgi_request.FILES
    assert list(tmp_path.iterdir()) == []

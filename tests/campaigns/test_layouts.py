"""What a file looks like: encoding, separator, header, number column, or no list at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.encodings import Inspection
from campaigns.rules.faults import FILE_FAULTS, FileFault
from campaigns.rules.layouts import (
    Look,
    Wish,
    column_letter,
    is_placeholder_name,
    look,
    placeholder_names,
)

PEOPLE = "phone;name\n07700900001;Ann\n07700900002;Bob\n"


def encoding_of(data: bytes, block: int = 7) -> str | FileFault:
    """Inspect data in small blocks."""
    inspection = Inspection()
    for start in range(0, len(data), block):
        inspection.feed(data[start : start + block])
    return inspection.finish()


def seen(text: str, **wish: object) -> Look:
    """Look at a text that is a list."""
    found = look(text.encode(), "utf-8", "GB", Wish(**wish))  # type: ignore[arg-type]
    assert isinstance(found, Look)
    return found


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"07700900001\n", "utf-8"),
        ("имя\n".encode(), "utf-8"),
        (b"\xef\xbb\xbfphone\n", "utf-8-sig"),
        ("\ufeffимя\n".encode("utf-16-le"), "utf-16-le"),
        ("\ufeffимя\n".encode("utf-16-be"), "utf-16-be"),
        ("Дилноза Каримова;Ташкент\n".encode("cp1251"), "cp1251"),
        ("Renée;Zoë;François\n".encode("cp1252"), "cp1252"),
        (b"PK\x03\x04workbook", FileFault.WORKBOOK),
        (b"\xd0\xcf\x11\xe0old workbook", FileFault.WORKBOOK),
        (b"%PDF-1.7", FileFault.BINARY),
        (b"\x1f\x8bgzip", FileFault.BINARY),
        (b"text\0with nothing", FileFault.BINARY),
    ],
)
def test_the_whole_file_tells_its_encoding(data: bytes, encoding: str) -> None:
    assert encoding_of(data) == encoding


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), min_size=1))
def test_utf_8_is_known_wherever_a_block_ends(text: str) -> None:
    data = b"n " + text.encode()
    assert encoding_of(data, 1) == encoding_of(data, 1000) == "utf-8"


def test_one_broken_byte_late_in_the_file_is_not_missed() -> None:
    assert encoding_of(b"a" * 300_000 + b"\xe9" + b"a" * 10, 65_536) == "cp1252"


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_separator_that_cuts_alike_is_taken(mark: str) -> None:
    found = seen(PEOPLE.replace(";", mark))
    assert found.layout.delimiter == mark
    assert found.header == ["phone", "name"]


def test_a_comma_in_names_does_not_win_over_the_real_separator() -> None:
    assert seen("phone;name\n07700900001;Ann, Lee\n07700900002;Bob\n").layout.delimiter == ";"


def test_a_declared_separator_is_believed_and_is_no_row() -> None:
    found = seen("sep=;\n" + PEOPLE)
    assert found.layout.delimiter == ";"
    assert (found.start.byte, found.start.row) == (6, 1)
    assert [row[0] for row in found.rows] == [2, 3]


def test_a_plain_column_of_numbers_has_no_header() -> None:
    found = seen("07700900001\n07700900002\n")
    assert not found.has_header
    assert found.header == ["A"]
    assert found.number_column == 0


def test_the_number_column_is_the_one_with_numbers() -> None:
    found = seen("id,name,tel\n1,Ann,07700900001\n2,Bob,07700900002\n")
    assert found.number_column == 2


def test_without_any_number_a_title_helps() -> None:
    assert seen("name,MSISDN\nAnn,9.98E+11\n").number_column == 1
    assert seen("name,city\nAnn,Rome\n").number_column is None


def test_a_person_may_correct_header_and_separator() -> None:
    found = seen("phone,a;name\n07700900001,b;Ann\n", delimiter=";", has_header=False)
    assert found.layout.delimiter == ";"
    assert found.header == ["A", "B"]
    assert len(found.rows) == 2


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", FileFault.EMPTY),
        (b"\n\n ,\n", FileFault.EMPTY),
        (b"phone,name\n", FileFault.ONLY_HEADER),
        (b",".join(b"c" for _ in range(201)) + b"\n", FileFault.TOO_MANY_COLUMNS),
        (b'"phone,name\n', FileFault.BROKEN),
    ],
)
def test_what_is_no_list_is_named(data: bytes, fault: FileFault) -> None:
    assert look(data, "utf-8", "GB") is fault
    assert FILE_FAULTS[fault].endswith(".")


def test_old_mac_line_ends_are_found() -> None:
    found = look(b"phone,name\r07700900001,Ann\r", "utf-8", "GB")
    assert isinstance(found, Look)
    assert found.layout.line_end == "\r"
    assert found.rows == [(2, ["07700900001", "Ann"])]


@pytest.mark.parametrize(
    ("titles", "names"),
    [
        (["First name", "lang"], ["first_name", "lang"]),
        (["Имя", "Телефон"], ["imya", "telefon"]),
        (["Prénom", "Straße"], ["prenom", "strasse"]),
        (["name", "Name", "NAME"], ["name", "name_2", "name_3"]),
        (["", "中文", "1st"], ["column_1", "column_2", "st"]),
        (["x" * 90], ["x" * 40]),
    ],
)
def test_titles_become_placeholder_names(titles: list[str], names: list[str]) -> None:
    assert placeholder_names(titles) == names


@given(st.lists(st.text(max_size=60), max_size=30))
def test_placeholder_names_are_always_valid_and_unique(titles: list[str]) -> None:
    names = placeholder_names(titles)
    assert len(set(names)) == len(titles)
    assert all(map(is_placeholder_name, names))


def test_columns_without_a_title_have_the_spreadsheets_letters() -> None:
    assert [column_letter(index) for index in (0, 25, 26, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "ZZ",
        "AAA",
    ]

"""One spelling for numbers: what is read, what is mended, what is refused and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.faults import FAULTS, Fault
from campaigns.rules.number_plans import countries, is_country
from campaigns.rules.numbers import mask, normalise, reader

FICTION = st.integers(447700900000, 447700900999).map(str)
SEPARATORS = st.sampled_from(["", " ", "-", ".", "\u00a0", "\u2009", "\u2011", "/", "\u200b"])


@given(FICTION)
def test_every_number_of_the_range_for_fiction_is_accepted(number: str) -> None:
    assert normalise(number, "GB") == number


@given(FICTION, st.sampled_from(["{}", "+{}", "00{}", "0{n}", "{n}", "+44 (0){n}", "+440{n}"]))
def test_every_way_to_begin_a_number_gives_the_same_digits(number: str, form: str) -> None:
    assert normalise(form.format(number, n=number[2:]), "GB") == number


@given(FICTION, st.lists(SEPARATORS, min_size=12, max_size=12), st.booleans())
def test_marks_between_digits_change_nothing(number: str, marks: list[str], has_plus: bool) -> None:
    spread = "".join(a + b for a, b in zip(number, marks, strict=True))
    assert normalise(("+" if has_plus else "") + spread, "GB") == number


@given(FICTION)
def test_what_was_read_is_read_again_as_itself(number: str) -> None:
    read = normalise(number, "GB")
    assert normalise(f"+{read}", "GB") == normalise(str(read), "") == read


@given(st.text(max_size=60), st.sampled_from(["GB", "US", "KZ", "AR", ""]))
def test_any_text_is_either_digits_or_a_fault_with_a_sentence(text: str, country: str) -> None:
    read = normalise(text, country)
    if isinstance(read, Fault):
        assert FAULTS[read].endswith(".")
    else:
        assert read.isascii()
        assert read.isdigit()
        assert 7 <= len(read) <= 15


@pytest.mark.parametrize(
    "damaged",
    [
        "\ufeff447700900123",
        "'447700900123",
        "447700900123.0",
        "447700900123,0",
        "447700900123.00",
        '="07700900123"',
        "  447700900123\t",
        "447,700,900,123",
        "(07700) 900 123",
        "+44\u00a07700\u00a0900123",
        "７７００９００１２３",
        "٠٧٧٠٠٩٠٠١٢٣",
    ],
)
def test_what_spreadsheets_do_to_a_number_is_mended(damaged: str) -> None:
    assert normalise(damaged, "GB") == "447700900123"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault.EMPTY),
        ("   ", Fault.EMPTY),
        ("-", Fault.EMPTY),
        ("9.989E+11", Fault.SHORTENED),
        ("4,477009E+11", Fault.SHORTENED),
        ("#N/A", Fault.SPREADSHEET_ERROR),
        ("#REF!", Fault.SPREADSHEET_ERROR),
        ("########", Fault.SPREADSHEET_ERROR),
        ("Jasur", Fault.NOT_A_NUMBER),
        ("0770090O123", Fault.NOT_A_NUMBER),
        ("++447700900123", Fault.NOT_A_NUMBER),
        ("<script>447700900123</script>", Fault.NOT_A_NUMBER),
        ("x" * 200, Fault.NOT_A_NUMBER),
        ("07700900123; 07700900124", Fault.TWO_NUMBERS),
        ("07700900123/07700900124", Fault.TWO_NUMBERS),
        ("0770090012", Fault.TOO_SHORT),
        ("12345", Fault.TOO_SHORT),
        ("077009001234", Fault.TOO_LONG),
        ("020 7946 0123", Fault.FIXED_LINE),
        ("0900 123 4567", Fault.FIXED_LINE),
        ("+15", Fault.TOO_SHORT),
        ("+999123456789", Fault.UNKNOWN_COUNTRY),
        ("06600900123", Fault.UNKNOWN_RANGE),
    ],
)
def test_what_cannot_be_mended_is_named(text: str, fault: Fault) -> None:
    assert normalise(text, "GB") is fault


def test_a_foreign_number_needs_its_plus() -> None:
    assert normalise("+12025550123", "GB") == "12025550123"
    assert normalise("0012025550123", "GB") == "12025550123"
    assert normalise("998901234567", "GB") is Fault.TOO_LONG


def test_without_a_country_every_number_begins_with_its_code() -> None:
    assert normalise("12025550123", "") == "12025550123"
    assert normalise("447700900123", "") == "447700900123"
    assert normalise("07700900123", "") is Fault.UNKNOWN_COUNTRY


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("8 701 555 01 23", "KZ", "77015550123"),
        ("011 15 2345 6789", "AR", "5491123456789"),
        ("(202) 555-0123", "US", "12025550123"),
        ("011 44 7700 900123", "US", "447700900123"),
        ("0151 12345678", "DE", "4915112345678"),
    ],
)
def test_national_habits_are_followed(text: str, country: str, number: str) -> None:
    assert normalise(text, country) == number


def test_every_country_of_the_table_can_be_read() -> None:
    for code, name, calling in countries():
        assert is_country(code)
        assert name
        assert reader(code)(f"+{calling}") in set(Fault)


def test_an_unknown_country_is_refused() -> None:
    assert not is_country("XX")
    with pytest.raises(ValueError, match="no country"):
        normalise("1", "XX")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("447700900123", "+44 77 ••• ••• 23"),
        ("+998901234541", "+998 90 ••• •• 41"),
        ("12025550123", "+1 20 ••• ••• 23"),
        ("1234", "••••"),
        ("abc", "•••"),
        ("", ""),
    ],
)
def test_a_masked_number_shows_its_country_and_both_ends(number: str, shown: str) -> None:
    assert mask(number) == shown


@given(FICTION)
def test_a_mask_hides_at_least_five_digits(number: str) -> None:
    assert mask(number).count("•") >= 5

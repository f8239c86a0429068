"""Files of comma-separated values: readable anywhere, harmless in a spreadsheet, kept by nobody."""

from collections.abc import Iterator

from campaigns.views.csv_files import csv_lines, csv_response


def test_a_file_begins_with_the_mark_and_its_titles() -> None:
    lines = list(csv_lines(["Row", "Naïve"], []))
    assert lines == ["\ufeff", "Row,Naïve\r\n"]


def test_a_cell_with_a_comma_or_a_quote_is_quoted() -> None:
    assert list(csv_lines([], [["a,b", 'say "x"']]))[2] == '"a,b","say ""x"""\r\n'


def test_no_title_and_no_cell_is_a_formula() -> None:
    lines = list(csv_lines(["=1+1"], [["@SUM(A1)", "plain"]]))
    assert lines[1:] == ["'=1+1\r\n", "'@SUM(A1),plain\r\n"]


def test_rows_are_asked_for_one_by_one_after_the_titles() -> None:
    asked: list[str] = []

    def rows() -> Iterator[list[str]]:
        for word in ("first", "second"):
            asked.append(word)
            yield [word]

    lines = csv_lines(["Word"], rows())
    assert [next(lines), next(lines)] == ["\ufeff", "Word\r\n"]
    assert asked == []
    assert (next(lines), asked) == ("first\r\n", ["first"])


def test_the_answer_is_a_file_with_a_name_that_no_cache_keeps() -> None:
    response = csv_response("unknown.csv", csv_lines(["Ä"], []))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="unknown.csv"'
    assert response["Cache-Control"] == "no-store"
    assert response.getvalue() == "\ufeffÄ\r\n".encode()

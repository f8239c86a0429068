"""What can be wrong with a file or a row of it: a sentence for the person who uploads it."""

from collections.abc import Mapping
from enum import StrEnum


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; the page translates it."""
    return text


_ = gettext_noop


class Fault(StrEnum):
    """Why a row is not sent to. The values are stored."""

    EMPTY = "empty"
    SHORTENED = "shortened"
    SPREADSHEET_ERROR = "spreadsheet_error"
    NOT_A_NUMBER = "not_a_number"
    TWO_NUMBERS = "two_numbers"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    FIXED_LINE = "fixed_line"
    UNKNOWN_RANGE = "unknown_range"
    UNKNOWN_COUNTRY = "unknown_country"
    BROKEN_ROW = "broken_row"
    LONG_VALUE = "long_value"


FAULTS: Mapping[Fault, str] = {
    Fault.EMPTY: _("Add a phone number."),
    Fault.SHORTENED: _("The spreadsheet shortened the number. Format the column as text."),
    Fault.SPREADSHEET_ERROR: _("The spreadsheet shows an error here. Mend the formula."),
    Fault.NOT_A_NUMBER: _("This is not a phone number. Use digits only."),
    Fault.TWO_NUMBERS: _("Two numbers in one cell. Give each its own row."),
    Fault.TOO_SHORT: _("Digits are missing."),
    Fault.TOO_LONG: _("Too many digits. A number of another country begins with +."),
    Fault.FIXED_LINE: _("A fixed line or a service number cannot get SMS."),
    Fault.UNKNOWN_RANGE: _("No number of this country begins like this."),
    Fault.UNKNOWN_COUNTRY: _("No country has this code. Begin with the country code."),
    Fault.BROKEN_ROW: _("A quotation mark opens here and does not close, or the row is too long."),
    Fault.LONG_VALUE: _("A cell has more than 500 characters. Shorten it."),
}


class FileFault(StrEnum):
    """Why a file as a whole cannot be read."""

    EMPTY = "empty"
    ONLY_HEADER = "only_header"
    WORKBOOK = "workbook"
    BINARY = "binary"
    TOO_MANY_COLUMNS = "too_many_columns"
    BROKEN = "broken"


FILE_FAULTS: Mapping[FileFault, str] = {
    FileFault.EMPTY: _("The file is empty. Choose a file with at least one number."),
    FileFault.ONLY_HEADER: _("The file has a header and no rows below it. Add the recipients."),
    FileFault.WORKBOOK: _(
        "This is an Excel workbook. Save it as CSV (File, Save as, CSV UTF-8) and upload that file."
    ),
    FileFault.BINARY: _("This is not a text file. Save the list as CSV or TXT and upload that."),
    FileFault.TOO_MANY_COLUMNS: _(
        "The file has more than 200 columns. Keep the number and what the message needs."
    ),
    FileFault.BROKEN: _(
        "The first row cannot be read: a quotation mark opens and does not close. Mend it"
        " and upload the file again."
    ),
}

"""One spelling for phone numbers: E.164 digits without the plus sign.

The numbering plans of `phonenumbers` are compiled once per calling code into one regular
expression, so that a list of millions is read by one match a cell. What spreadsheets do to numbers
is mended where it can be (spaces, dashes, `.0`, an apostrophe, a lost leading zero) and named where
it cannot. The rule is who can get SMS, not who exists: a number passes unless the plan says that it
is a fixed line or a service number, or that no number looks like it. Ranges that are reserved for
fiction therefore pass.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NewType

from phonenumbers import PhoneMetadata

from campaigns.rules.faults import Fault
from campaigns.rules.number_plans import calling_code, lengths_of, pattern_of, plan_text, plans_of

Number = NewType("Number", str)


# What stands between digits: spaces of all kinds, dashes, dots, brackets, slashes, and marks that
# nobody sees (zero width, direction).
_BETWEEN = re.compile(
    r"[\s.,()\[\]/\\_~*·"
    r"\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff"
    r"\u002d\u2010-\u2015\u2212\ufe58\ufe63\uff0d]+"
)
_SHORTENED = re.compile(r"[+-]?\d(?:[.,]\d+)?\s*[eE]\s*\+?\d+")
_FLOAT = re.compile(r"(\+?\d{7,})[.,]0+")
_FORMULA = re.compile(r'="?([^"]*)"?')
_ERROR = re.compile(r"#(?:#+|[A-Z0-9/]+[!?]?)", re.IGNORECASE)
_SEVERAL = re.compile(r"[;,/|\n]| {2,}|\bor\b")
_DIGITS = re.compile(r"\+?\d+", re.ASCII)
_QUOTES = "'’‘`\""
_SHORTEST_OF_TWO = 7
_LONGEST_CELL = 100


def normalise(text: str, country: str) -> Number | Fault:
    """Return the E.164 digits of a cell, or why there are none.

    `country` is the ISO code of the numbers without a country code; with an empty one each number
    has to begin with its country code, with or without the plus sign.
    """
    return reader(country)(text)


@lru_cache(maxsize=300)
def reader(country: str) -> Callable[[str], Number | Fault]:
    """Return `normalise` for one country: what a loop over a list calls.

    Raises ValueError for a country that no numbering plan knows.
    """
    if not country:
        return _read_abroad
    home = _Home(country)
    whole = home.pattern.fullmatch
    code = home.code

    def read(text: str) -> Number | Fault:
        match = whole(text)
        if match is None:
            return home.mend(text)
        kind = match.lastgroup or ""
        return Fault.FIXED_LINE if kind == "fixed" else Number(code + match[kind])

    return read


class _Home:
    """The plan of one country: numbers with its code, its trunk prefix, or neither."""

    def __init__(self, country: str) -> None:
        mine = PhoneMetadata.metadata_for_region(country)
        if mine is None:
            raise ValueError(f"{country!r} is no country with a numbering plan.")
        self.code = str(mine.country_code)
        self.trunk = mine.national_prefix or ""
        self.lengths = lengths_of([mine])
        trunk = f"|{self.trunk}" if self.trunk else ""
        # In this order: a number that can be read with its country code is.
        self.pattern = re.compile(
            rf"(?:(?:\+|00)?{self.code}{trunk}|)(?:{plan_text(self.code)})", re.ASCII
        )
        self.prefix = re.compile(mine.national_prefix_for_parsing or "(?!)", re.ASCII)
        self.transform = mine.national_prefix_transform_rule or ""
        self.exit = re.compile(rf"(?:{mine.international_prefix or '00'})", re.ASCII)

    def mend(self, text: str) -> Number | Fault:
        """Read a cell that is not simply a number of this country."""
        digits = _clean(text)
        if isinstance(digits, Fault):
            return digits
        found = self._number(digits)
        if found is not None:
            return found
        if digits.startswith("+"):
            return _international(digits[1:])
        leaving = self.exit.match(digits)
        if leaving is not None and len(digits) - leaving.end() >= _SHORTEST_OF_TWO:
            return _international(digits[leaving.end() :])
        return self._what_is_wrong(digits)

    def _number(self, digits: str) -> Number | Fault | None:
        match = self.pattern.fullmatch(digits) or self._without_prefix(digits)
        if match is None:
            return None
        kind = match.lastgroup or ""
        return Fault.FIXED_LINE if kind == "fixed" else Number(self.code + match[kind])

    def _without_prefix(self, digits: str) -> re.Match[str] | None:
        """Take the national prefix off as the plan says: some countries rewrite the rest."""
        prefix = self.prefix.match(digits)
        if prefix is None:
            return None
        if self.transform and prefix.lastindex:
            rest = prefix.expand(self.transform) + digits[prefix.end() :]
        else:
            rest = digits[prefix.end() :]
        return pattern_of(self.code).fullmatch(rest)

    def _what_is_wrong(self, digits: str) -> Fault:
        national = digits.removeprefix(self.code)
        if national == digits and self.trunk:
            national = digits.removeprefix(self.trunk)
        return _wrong_length(len(national), self.lengths)


def _read_abroad(text: str) -> Number | Fault:
    digits = text if _DIGITS.fullmatch(text) else _clean(text)
    if isinstance(digits, Fault):
        return digits
    return _international(digits.removeprefix("+").removeprefix("00"))


def _international(digits: str) -> Number | Fault:
    """Read digits that begin with a country code."""
    code = calling_code(digits)
    if not code:
        return Fault.UNKNOWN_COUNTRY
    match = pattern_of(code).fullmatch(digits, len(code)) or _after_trunk(code, digits)
    if match is None:
        return _wrong_length(len(digits) - len(code), lengths_of(plans_of(code)))
    kind = match.lastgroup or ""
    return Fault.FIXED_LINE if kind == "fixed" else Number(code + match[kind])


def _after_trunk(code: str, digits: str) -> re.Match[str] | None:
    """Read +44 07700..., where somebody kept the trunk prefix behind the country code."""
    trunk = plans_of(code)[0].national_prefix or ""
    has_trunk = trunk and digits.startswith(trunk, len(code))
    return pattern_of(code).fullmatch(digits, len(code) + len(trunk)) if has_trunk else None


def _wrong_length(length: int, lengths: Sequence[int]) -> Fault:
    if length < min(lengths):
        return Fault.TOO_SHORT
    return Fault.TOO_LONG if length > max(lengths) else Fault.UNKNOWN_RANGE


def _clean(text: str) -> str | Fault:
    """Return the digits of a cell, with a leading plus if it had one, or why there are none."""
    text = text.strip().strip(_QUOTES + "\ufeff").strip()
    formula = _FORMULA.fullmatch(text)
    if formula:
        text = formula[1].strip()
    if not text:
        return Fault.EMPTY
    if len(text) > _LONGEST_CELL:
        return Fault.NOT_A_NUMBER
    if _SHORTENED.fullmatch(text):
        return Fault.SHORTENED
    if _ERROR.fullmatch(text):
        return Fault.SPREADSHEET_ERROR
    return _digits_of(text)


def _digits_of(text: str) -> str | Fault:
    float_ = _FLOAT.fullmatch(text)
    if float_:
        return float_[1]
    if _has_several(text):
        return Fault.TWO_NUMBERS
    if text.startswith(("+", "00", "\uff0b")):
        text = text.replace("(0)", "")
    digits = _BETWEEN.sub("", text)
    if not digits.isascii():
        digits = "".join(map(_ascii_digit, digits))
    if not digits:
        return Fault.EMPTY
    return digits if _DIGITS.fullmatch(digits) else Fault.NOT_A_NUMBER


def _has_several(text: str) -> bool:
    parts = [part for part in _SEVERAL.split(text) if sum(map(str.isdigit, part))]
    return len(parts) > 1 and all(sum(map(str.isdigit, part)) >= _SHORTEST_OF_TWO for part in parts)


def _ascii_digit(character: str) -> str:
    """Return the ASCII form of a digit or plus sign of another script; others as they are."""
    if character == "\uff0b":
        return "+"
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


_HIDDEN = {4: "••••", 5: "••• ••", 6: "••• •••", 7: "••• •• ••", 8: "•••• ••••"}


def mask(number: str) -> str:
    """Return a number as pages show it: `+998 90 ••• •• 41`. Four digits or fewer show nothing."""
    digits = number.removeprefix("+")
    code = calling_code(digits) if digits.isascii() and digits.isdigit() else ""
    national = digits[len(code) :]
    hidden = len(national) - 4
    if not code or hidden < 1:
        return "•" * len(digits)
    return f"+{code} {national[:2]} {_HIDDEN.get(hidden, '•' * hidden)} {national[-2:]}"

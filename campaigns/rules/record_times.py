"""Times as call records write them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

LONGEST = 40


def _unix(text: str) -> datetime:
    seconds = float(text)
    # From the year 5138 on seconds have 12 digits: so many are milliseconds.
    return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)


def _form(*forms: str) -> Callable[[str], datetime]:
    def read(text: str) -> datetime:
        for form in forms:
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the file's
            except ValueError:
                continue
        raise ValueError(text)

    return read


TIME_FORMS: Mapping[str, Callable[[str], datetime]] = {
    "iso": datetime.fromisoformat,
    "unix": _unix,
    "compact": _form("%Y%m%d%H%M%S", "%y%m%d%H%M%S", "%Y%m%d%H%M", "%y%m%d%H%M"),
    "dmy": _form("%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d.%m.%Y %H:%M"),
    "mdy": _form("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M"),
}


def read_time(text: str, form: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant, in UTC; None for what the form does not read.

    A time without an offset is of the file's zone.
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None
    try:
        found = TIME_FORMS[form](text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def guess_form(samples: list[str]) -> str:
    """Return the only form that reads every sample; "" when none or several do."""
    zone = ZoneInfo("UTC")
    fitting = [
        form
        for form in TIME_FORMS
        if samples and all(_is_plausible(read_time(text, form, zone)) for text in samples)
    ]
    return fitting[0] if len(fitting) == 1 else ""


def _is_plausible(at: datetime | None) -> bool:
    return at is not None and 2000 <= at.year < 2100

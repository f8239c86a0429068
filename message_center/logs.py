"""Logs: structured, in UTC, without numbers, secrets or control characters."""

import logging
import logging.config
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

SECRET = re.compile(r"password|passwd|secret|token|authorization|cookie|api_key", re.IGNORECASE)
# The same names inside a text, with what follows them: "password=...", "Authorization: Bearer ...".
SECRET_IN_TEXT = re.compile(
    r"((?:password|passwd|secret|token|authorization|cookie|api_key)[\"']?\s*[=:]\s*[\"']?"
    r"(?:bearer\s+|basic\s+)?)[^\s\"',;}]+",
    re.IGNORECASE,
)
# A password in a URL: of a database, of Valkey, of a proxy.
SECRET_IN_URL = re.compile(r"(\w://[^\s/:@]*:)[^\s/]+(?=@)")
# Credentials without the header's name. What follows the word must not look like one of a language.
BEARER = re.compile(
    r"(\b(?i:bearer|basic)\s+)(?=[\w.~+/=-]*(?:\d|[._~+/=-]\w|[a-z][A-Z])|\w{20})[\w.~+/=-]+"
)
# Our own API keys (workspaces/actions/keys.py); what stands before the dot may be known.
API_KEY = re.compile(r"(?<![A-Za-z0-9])(mc_[A-Za-z0-9]+\.)[\w-]+")
# Addresses whose last part is a secret: an invitation, a new password.
SECRET_IN_PATH = re.compile(r"(/(?:invitations|sign-in/reset)/)[^\s\"'?]+")
SECRETS = (SECRET_IN_URL, SECRET_IN_TEXT, SECRET_IN_PATH, BEARER, API_KEY)
# Seven to fifteen digits that stand alone, or a + with groups. Parts of hashes, of decimal
# fractions and of UUIDs are no numbers.
NUMBER = re.compile(
    r"\+\d[\d ().-]{5,20}\d(?!\w)|(?<![\w])(?<!\d\.)\d{7,15}(?!\w)(?!-[0-9a-f]{4}-)"
)
# Numbers in groups without a +: 07700 900123, 07 70 09 00 12, (555) 010-0199, 44 7700 900123.
# Dates and times begin or go on otherwise.
GROUPED = re.compile(
    r"(?<![\w.,:+-])(?:\(?0\d{2,4}\)?(?:[ -]\d{3,8}){1,3}|0\d(?:[ .-]\d\d){4}"
    r"|(?:1[ -])?\(?\d{3}\)?[ -]\d{3}[ -]\d{4}|\d{1,2}[ -]\d{3,4}[ -]\d{6})(?![\w:])"
)
FEWEST_GROUPED = 9
# A whole number of this length may be somebody's, unless its name says that it counts or measures:
# a line has its own time, so an epoch under another name is the smaller loss.
LONG = range(10**9, 10**15)
COUNTS = re.compile(
    r"(?:^|_)(?:at|bytes|count|id|lines|n|ns|offset|rows|seconds|segments|size|time|total|us|xid)$"
)
# Control characters could forge or hide lines, bidi overrides could turn them round.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# What our own processors wrote needs no mask: a time, a level, the request's number.
OURS = {"timestamp", "level", "logger", "request_id"}


def configure(options: Mapping[str, Any]) -> None:
    """Send every log, ours and the libraries', through one line of processors.

    `json` chooses the form.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        clean,
    ]
    renderer = (
        structlog.processors.JSONRenderer()
        if options["json"]
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        "foreign_pre_chain": [structlog.stdlib.PositionalArgumentsFormatter(), *shared],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"ours": formatter},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "ours"}},
            "root": {"handlers": ["out"], "level": "INFO"},
            "loggers": {
                "django.request": {"level": "ERROR"},
                "django.server": {"level": "WARNING"},
            },
        }
    )


def clean(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask numbers and secrets, escape control characters, at any depth."""
    for key, value in event.items():
        if key not in OURS and not key.startswith("_"):
            event[key] = _cleaned(key, value)
    return event


def _cleaned(key: str, value: Any) -> Any:
    if SECRET.search(key):
        return "***"
    if isinstance(value, str):
        return _text(value, keep="\n\t" if key == "exception" else "")
    if isinstance(value, Mapping):
        return {
            _text(str(name), keep=""): _cleaned(str(name), part) for name, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(key, part) for part in value]
    if value is None or isinstance(value, bool | int | float):
        return _masked(str(value)) if _may_be_somebodys(key, value) else value
    return _text(str(value), keep="")


def _text(text: str, *, keep: str) -> str:
    """Return a text as the log may hold it. `keep` names control characters that stay."""
    for secret in SECRETS:
        text = secret.sub(r"\1***", text)
    masked = GROUPED.sub(_mask_grouped, NUMBER.sub(_mask, text))
    return CONTROL.sub(
        lambda found: found[0] if found[0] in keep else _escape(ord(found[0])), masked
    )


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _may_be_somebodys(key: str, value: Any) -> bool:
    """Whether a whole number can be a subscriber's: 10 to 15 digits, and no known counter."""
    return isinstance(value, int) and value in LONG and not COUNTS.search(key)


def _mask_grouped(found: re.Match[str]) -> str:
    is_long = sum(map(str.isdigit, found[0])) >= FEWEST_GROUPED
    return _masked(found[0]) if is_long else found[0]


def _mask(found: re.Match[str]) -> str:
    return _masked(found[0])


def _masked(written: str) -> str:
    digits = re.sub(r"\D", "", written)
    return f"{digits[:2]}•••{digits[-2:]}"

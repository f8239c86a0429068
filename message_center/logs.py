"""Logs: structured, in UTC, without numbers, secrets or control characters."""

import logging
import logging.config
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

SECRET = re.compile(r"password|secret|token|authorization|cookie|api_key", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.:-])\+?\d{9,15}(?![\w.:-])")
# Control characters and bidi overrides could forge or hide lines.
CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


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
    """Mask numbers and secrets, escape control characters."""
    for key, value in event.items():
        if SECRET.search(key):
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = _clean(value, is_trace=key == "exception")
    return event


def _clean(text: str, *, is_trace: bool) -> str:
    masked = NUMBER.sub(lambda found: found[0][:4] + "•••" + found[0][-2:], text)
    return masked if is_trace else CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", masked)

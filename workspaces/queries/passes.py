"""The passes of super admins, for the time in which the database is away."""

import hmac
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac

from workspaces.models import ApiKey, Session
from workspaces.queries.accounts import usable
from workspaces.rules.passes import Pass, read_passes
from workspaces.rules.permissions import PLATFORM_SCOPES

# A key that is revoked elsewhere, where the database is still seen, opens this for no longer.
KEY_HOURS = 24
_SALT = "workspaces.passes"


def passes_file() -> Path:
    """Return where the list lies: on this machine, for web and worker."""
    return Path(settings.DATA_DIR) / "outage_passes.json"


def session_mark(key: str) -> str:
    """Return the mark of a session by its secret key."""
    return _marked(f"session {key}")


def key_mark(prefix: str, secret_hash: str) -> str:
    """Return the mark of an API key."""
    return _marked(f"key {prefix} {secret_hash}")


def _marked(words: str) -> str:
    """A list that was written while DEBUG was on, demo accounts in it, opens nothing without it."""
    salt = f"{_SALT}.debug" if settings.DEBUG else _SALT
    return salted_hmac(salt, words, algorithm="sha256").hexdigest()


def live_passes(now: datetime) -> list[Pass]:
    """Return the passes of all super admins as of now. Needs scope_everywhere."""
    idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    absolute = timedelta(seconds=settings.SESSION_ABSOLUTE_SECONDS)
    sessions = Session.objects.filter(usable("user__"), user__is_super_admin=True)
    keys = ApiKey.objects.filter(
        usable("created_by__"),
        created_by__is_super_admin=True,
        revoked_at=None,
        expires_at__gt=now,
        scopes__overlap=list(PLATFORM_SCOPES),
    )
    ends = now + timedelta(hours=KEY_HOURS)
    return [
        *(
            Pass(session_mark(one.key), min(one.seen_at + idle, one.started_at + absolute))
            for one in sessions.order_by("id")
        ),
        *(
            Pass(key_mark(one.prefix, one.secret_hash), min(one.expires_at, ends))
            for one in keys.order_by("id")
        ),
    ]


def has_pass(mark: str, now: datetime) -> bool:
    """Whether this mark is in the list and its time lasts. Asks no database."""
    try:
        text = passes_file().read_text(encoding="utf-8")
    except OSError:
        return False
    return any(hmac.compare_digest(one.mark, mark) and now < one.until for one in read_passes(text))

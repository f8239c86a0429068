"""Is it well? `live` asks nothing; `ready` asks the database and the broker, briefly."""

from dataclasses import dataclass
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from audit.queries.fallback import look as look_at_fallback
from audit.queries.fallback_findings import Tone, tone_of


@dataclass(frozen=True)
class Health:
    """What was found. Without the broker the product works on: sweeps do what nudges would have."""

    is_database_up: bool
    is_broker_up: bool


def look() -> Health:
    """Ask both. The database has its connect timeout to answer (settings), the broker a second."""
    return Health(_database(), _broker())


def fallback_tone() -> Tone:
    """Return how this machine's audit fallback files are. Asks no database."""
    folder = Path(settings.AUDIT_FALLBACK_DIR)
    return tone_of(look_at_fallback(folder, settings.AUDIT_FALLBACK_MAX_BYTES))


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone())
    except DatabaseError:
        connection.close()
        return False


def _broker() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()

"""The containers' health check: `python message_center/stack/healthy.py KIND ARGUMENT...`.

    http PORT PATH        the web server answers, with whatever but an error of its own
    alive FILE SECONDS    a Celery process has touched its ALIVE_FILE within so many seconds
    connected ROLE        this container's process has its connection in the database

Run as a script, so that it imports nothing of the product and takes a tenth of a second.
"""

import http.client
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def answers(port: str, path: str) -> bool:
    """Tell whether the web server on this machine answers."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    finally:
        connection.close()


def is_fresh(file: str, seconds: str) -> bool:
    """Tell whether the file was touched lately."""
    return time.time() - Path(file).stat().st_mtime < float(seconds)


def is_connected(role: str) -> bool:
    """Tell whether the process that runs as this role is connected."""
    import psycopg

    url = Path(os.environ[f"{role.upper()}_DATABASE_URL_FILE"]).read_text().strip()
    question = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s"
    with psycopg.connect(url, connect_timeout=5) as connection:
        found = connection.execute(question, [f"message-center-{role}"]).fetchone()
    return found is not None


CHECKS: Mapping[str, Callable[..., bool]] = {
    "http": answers,
    "alive": is_fresh,
    "connected": is_connected,
}


def main(words: list[str]) -> int:
    """Return 0 when it is well, 1 with a sentence when it is not."""
    try:
        if CHECKS[words[0]](*words[1:]):
            return 0
        reason = "it is not"
    except Exception as failure:
        reason = f"{type(failure).__name__}: {failure}"
    sys.stderr.write(f"{' '.join(words)}: {reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

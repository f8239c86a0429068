"""Our own Valkey."""

from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from message_center.stack.ports import LOOPBACK, reserve
from message_center.stack.valkey import Valkey


def test_it_wants_the_password_and_keeps_nothing(tmp_path: Path) -> None:
    port, holder = reserve()
    server = Valkey(tmp_path / "valkey", port=port, password="secret", log=tmp_path / "log")
    server.start()
    try:
        with redis.Redis.from_url(server.url) as client:
            assert client.config_get("save") == {"save": ""}
        once = Retry(NoBackoff(), 0)
        with (
            redis.Redis(LOOPBACK, port, retry=once) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
    finally:
        server.stop()
        holder.close()


def test_the_password_is_not_among_the_words_of_the_process(tmp_path: Path) -> None:
    port, holder = reserve()
    server = Valkey(tmp_path / "valkey", port=port, password="secret", log=tmp_path / "log")
    running = server.start()
    try:
        assert b"secret" not in Path(f"/proc/{running.pid}/cmdline").read_bytes()
    finally:
        server.stop()
        holder.close()

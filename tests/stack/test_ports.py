"""Ports on the loopback address."""

import socket
from pathlib import Path

from message_center.stack.ports import LOOPBACK, Ports, is_free, is_open, reserve


def listen(port: int) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((LOOPBACK, port))
    server.listen(1)
    return server


def test_a_server_can_listen_on_a_reserved_port() -> None:
    port, holder = reserve()
    with holder, listen(port):
        assert is_open(port)


def test_a_port_with_a_server_is_not_free() -> None:
    port, holder = reserve()
    with holder, listen(port):
        assert not is_free(port)


def test_ports_are_remembered(tmp_path: Path) -> None:
    port = Ports(tmp_path / "ports.json").of("postgres")
    assert Ports(tmp_path / "ports.json").of("postgres") == port


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    port = Ports(tmp_path / "ports.json").of("postgres")
    with listen(port):
        assert Ports(tmp_path / "ports.json").of("postgres") != port

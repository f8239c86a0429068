"""The watch over all connections' certificates: what is odd about one is not the others' matter."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from message_center.stack.certificates import DemoCertificates
from smpp_client.engine import certificates as watching
from smpp_client.engine.accounts import Account
from smpp_client.engine.certificates import CertificateWatch, probe
from smpp_client.engine.engine import tell_end
from smpp_client.engine.tls import ContextKeeper, Keepers, build_context
from smpp_client.rules.hosts import Host
from tests.smpp_client.engine.peers import account
from tests.smpp_client.engine.slots import until

# The codec for host names refuses it before anybody is asked.
NO_HOST = Host("a" * 64 + ".example", 2775)


class Odd(Keepers):
    """Keepers that fail for one connection; they remember who was asked for."""

    def __init__(self, broken: int) -> None:
        super().__init__()
        self.broken = broken
        self.asked: list[int] = []

    def of(self, account: Account) -> ContextKeeper:
        """Return the keeper, or raise what nobody expects."""
        self.asked.append(account.id)
        if account.id == self.broken:
            raise ValueError("an odd certificate")
        return super().of(account)


def made(certificates: DemoCertificates, number: int) -> Account:
    ca, cert, key = certificates.ca, certificates.client_cert, certificates.client_key
    return account(ca, cert, key, 1, id=number, name=f"smsc-{number}")


async def while_watching(
    keepers: Keepers, accounts: list[Account], so: Callable[[], bool]
) -> "asyncio.Task[None]":
    running = asyncio.create_task(CertificateWatch(keepers, Mock(), None).run(lambda: accounts))
    await until(so)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return running


def test_one_odd_certificate_does_not_end_the_watch_of_the_others(
    certificates: DemoCertificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Mock()
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.002)
    monkeypatch.setattr(watching, "log", log)
    keepers = Odd(broken=1)
    accounts = [made(certificates, 1), made(certificates, 2)]
    running = asyncio.run(while_watching(keepers, accounts, lambda: keepers.asked.count(2) > 3))
    assert running.cancelled()
    assert log.exception.call_count == 1


def test_a_host_that_cannot_be_looked_up_refuses_no_certificate(
    certificates: DemoCertificates,
) -> None:
    one = replace(made(certificates, 1), hosts=(NO_HOST,))
    trusted = build_context(one.files, datetime.now(UTC))
    assert asyncio.run(probe(one, trusted.context, None)) == ""


def test_a_task_of_the_engine_that_ends_by_a_failure_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails() -> None:
        raise ValueError("nobody expects this")

    async def story() -> None:
        task = asyncio.create_task(fails(), name="certificate-watch")
        task.add_done_callback(tell_end)
        await asyncio.wait([task])

    log = Mock()
    monkeypatch.setattr("smpp_client.engine.engine.log", log)
    asyncio.run(story())
    assert log.error.call_args.kwargs["task"] == "certificate-watch"

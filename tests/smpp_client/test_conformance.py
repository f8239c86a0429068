"""The full check of a connection, step by step, against a real simulator over mutual TLS."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from message_center.stack.certificates import DemoCertificates
from smpp_client.actions.connections import add_connection
from smpp_client.engine.accounts import Account, Place, account_of
from smpp_client.engine.conformance.bench import Bench
from smpp_client.engine.conformance.run import run_steps
from smpp_client.protocol.pdus import BindType
from smpp_client.queries.connection_settings import ConnectionSettings
from smpp_client.rules.addresses import sender_address
from smpp_client.rules.conformance import FIXED_MESSAGES, CheckOptions, Step
from smpp_client.rules.hosts import Host
from smpp_client.rules.message_ids import IdRule
from smpp_client.simulator.ledger import texts
from tests.simulator import RunningSimulator
from tests.smpp_client import wires
from tests.smpp_client.conftest import StartPartner

pytestmark = pytest.mark.django_db
NUMBERS = ("447700900001", "447700900002")
RATE, WINDOW = 50, 10
FEW = CheckOptions(NUMBERS, "Example", messages=FIXED_MESSAGES, receipt_seconds=2)
OPTIONS = CheckOptions(NUMBERS, "Example", messages=200, receipt_seconds=5)


@pytest.fixture(scope="module")
def partner(start_partner: StartPartner) -> RunningSimulator:
    """A partner that refuses numbers that cannot be."""
    return start_partner(receipt_delay=0.1, refuse_destination=[("1", 11)])


@pytest.fixture
def account(certificates: DemoCertificates, partner: RunningSimulator) -> Account:
    """The connection to the partner as the engine sees it."""
    settings = ConnectionSettings(
        host="127.0.0.1",
        port=partner.port,
        system_id="center",
        server_name="localhost",
        ca_file=str(certificates.ca),
        cert_file=str(certificates.client_cert),
        key_file=str(certificates.client_key),
        rate=RATE,
        window=WINDOW,
    )
    return account_of(
        add_connection(
            name="smsc-a", settings=settings, password="secret", by=wires.BY, now=timezone.now()
        )
    )


def checked(account: Account, options: CheckOptions = OPTIONS, **beside: bool) -> dict[str, Step]:
    """Go through the check and return its steps by key."""
    steps: list[Step] = []
    source = sender_address(options.sender) if options.sender else None

    async def go() -> None:
        await run_steps(Bench(account, options, source, **beside), steps.append)

    asyncio.run(go())
    return {step.key: step for step in steps}


@contextmanager
def switched(partner: RunningSimulator, **switches: Any) -> Iterator[None]:
    """Let the partner behave otherwise for a while."""
    usual = {name: partner.control()[name] for name in switches}
    partner.control(**switches)
    yield
    partner.control(**usual)


def states(steps: dict[str, Step]) -> dict[str, str]:
    """Return what is not passed."""
    return {key: step.state.value for key, step in steps.items() if step.state != "passed"}


def test_our_simulator_passes_everything_that_is_asked_of_it(
    account: Account, partner: RunningSimulator
) -> None:
    steps = checked(account, replace(OPTIONS, messages=FIXED_MESSAGES + WINDOW + 4 * RATE))
    assert states(steps) == {"above_rate": "not_tried", "failover": "not_tried"}
    assert steps["load"].figures["receipts"] == steps["load"].figures["segments"]
    assert {line.destination for line in texts(partner.ledger)} <= {*NUMBERS}


def test_without_numbers_nothing_is_sent(account: Account, partner: RunningSimulator) -> None:
    before = partner.counters()["submits"]
    steps = checked(account, CheckOptions())
    assert partner.counters()["submits"] == before
    assert states(steps)["receipts"] == states(steps)["window"] == "not_tried"
    assert steps["bind_transceiver"].state == "passed"


def test_no_more_is_sent_than_was_allowed(account: Account, partner: RunningSimulator) -> None:
    before = partner.counters()["submits"]
    steps = checked(account, FEW)
    assert partner.counters()["submits"] == before + FIXED_MESSAGES
    assert "more messages than were allowed" in steps["rate"].sentence


def test_the_rule_that_ids_follow_is_named(account: Account, partner: RunningSimulator) -> None:
    with switched(partner, message_id="hex", receipt_id="decimal"):
        step = checked(account, FEW)["receipts"]
        other = replace(account.session, id_rule=IdRule.HEX_TO_DECIMAL)
        fitting = checked(replace(account, session=other), FEW)["receipts"]
    assert (step.state, step.figures["fitting"]) == ("failed", "hex_to_decimal")
    assert fitting.state == "passed"


def test_a_receipt_that_does_not_come_is_a_fault_unless_the_sender_may_have_it(
    account: Account, partner: RunningSimulator
) -> None:
    options = replace(FEW, receipt_seconds=0.3)
    with switched(partner, receipts=False):
        alone = checked(account, options)["receipts"]
        beside = checked(account, options, is_beside=True)["receipts"]
    assert (alone.state, beside.state) == ("failed", "not_tried")


def test_a_window_that_is_too_large_is_told(account: Account, partner: RunningSimulator) -> None:
    options = replace(FEW, messages=FIXED_MESSAGES + WINDOW)
    with switched(partner, window=4, delay=0.05):
        step = checked(account, options)["window"]
    assert step.state == "failed"
    assert step.sentence.startswith("Of 10 at once the partner took 4: 6 ×")


def test_a_rate_that_is_too_high_is_told_and_a_clean_throttle_is_none(
    account: Account, partner: RunningSimulator
) -> None:
    messages = FIXED_MESSAGES + WINDOW + RATE + 3 * RATE
    options = replace(FEW, messages=messages, is_above_rate=True)
    with switched(partner, throttle_above=RATE * 0.6):
        steps = checked(account, options)
    assert (steps["rate"].state, steps["above_rate"].state) == ("failed", "passed")
    assert "throttled (0x58)" in steps["rate"].sentence


def test_a_window_too_small_for_the_rate_is_told(
    account: Account, partner: RunningSimulator
) -> None:
    options = replace(FEW, messages=FIXED_MESSAGES + RATE + 1)
    with switched(partner, delay=0.04):
        step = checked(replace(account, window=1), options)["rate"]
    assert step.state == "failed"
    assert "the window of 1 is too small" in step.sentence


def test_a_partner_that_allows_one_session_is_told_of_beside_the_sender(
    account: Account, partner: RunningSimulator
) -> None:
    with switched(partner, refuse_bind=5):
        beside = checked(account, FEW, is_beside=True)
        alone = checked(account, FEW)
    assert beside["bind_transceiver"].state == "not_tried"
    assert "no session beside the sender's" in beside["bind_transceiver"].sentence
    assert alone["bind_transceiver"].state == "failed"
    assert {step.state for step in beside.values()} == {"passed", "not_tried"}


def test_a_sender_that_sends_is_not_disturbed(account: Account, partner: RunningSimulator) -> None:
    before = partner.counters()["submits"]
    steps = checked(account, OPTIONS, is_beside=True, is_busy=True)
    assert partner.counters()["submits"] == before + FIXED_MESSAGES
    assert "is sending" in steps["rate"].sentence


def test_a_wrong_number_that_is_accepted_is_told(
    account: Account, partner: RunningSimulator
) -> None:
    with switched(partner, refuse_destination=[]):
        step = checked(account, FEW)["wrong_number"]
    assert step.state == "failed"


def test_every_further_host_is_bound(account: Account) -> None:
    dead, alive = Host("127.0.0.1", 1), account.hosts[0]
    assert checked(replace(account, hosts=(alive, alive)), FEW)["failover"].state == "passed"
    step = checked(replace(account, hosts=(alive, dead)), FEW)["failover"]
    assert (step.state, step.sentence[:13]) == ("failed", "127.0.0.1:1: ")


def test_what_is_not_there_stops_no_step_but_its_own(account: Account) -> None:
    steps = checked(replace(account, hosts=(Host("127.0.0.1", 1),)), FEW)
    assert steps["certificates"].state == "passed"
    assert steps["tls"].sentence == "Nobody listens at 127.0.0.1 port 1."
    assert steps["receipts"].sentence.startswith("There is no session: ")


def test_a_pair_of_sessions_is_checked_as_one(account: Account) -> None:
    places = (Place(0, BindType.TRANSMITTER), Place(100, BindType.RECEIVER))
    steps = checked(replace(account, places=places), FEW)
    assert steps["receipts"].state == "passed"

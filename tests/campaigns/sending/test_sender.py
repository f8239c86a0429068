"""The sender as a process against the simulator over mTLS; the ledger is the judge."""

import pytest

from tests import make
from tests.campaigns.sending.wire import Site, complete, wait_bound, wait_for_counts
from tests.processes import Processes

pytestmark = pytest.mark.processes
LONG = "Dear {{name}}, " + "this text takes more than one segment. " * 6


def test_every_person_gets_his_text_exactly_once_and_receipts_come_back(
    wired: Site, processes: Processes
) -> None:
    campaign = make.sending(wired.author, wired.route, rows=300)
    processes.start("sender")
    wait_bound(wired.connection)
    wait_for_counts(campaign, delivered=300)
    assert complete(campaign) == "completed"
    wanted = {(make.number(index), f"Hello Name{index}"): 1 for index in range(300)}
    assert dict(wired.accepted()) == wanted


def test_long_personal_texts_arrive_whole(wired: Site, processes: Processes) -> None:
    campaign = make.sending(wired.author, wired.route, rows=40, text=LONG)
    processes.start("sender")
    wait_for_counts(campaign, delivered=40)
    wanted = {
        (make.number(index), LONG.replace("{{name}}", f"Name{index}")): 1 for index in range(40)
    }
    assert dict(wired.accepted()) == wanted

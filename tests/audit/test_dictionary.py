"""The dictionary and the product say the same: every verb records, every record is in it."""

import re
from collections.abc import Iterator, Mapping

import pytest

from audit.rules.dictionary import edition, page
from audit.rules.fields import EVERY_COLUMN, FIELDS, Fields
from audit.rules.operations import OPERATIONS
from audit.rules.watched import WATCHED
from tests.audit import spoken, verbs

# Public functions of the verbs' rooms that change rows and record nothing themselves, and why.
PART = "a part of verbs that record"
READS = "changes nothing: the database computes"
KEEPS_WELL = "keeps tables well; takes away nothing that anybody decided"
REMEMBERS = "remembers that somebody was here"
REFUSES = "changes nothing itself: refuses, and records that it did"
COUNTS = "counts guesses; the sign-in that is refused by it is recorded"
UNRECORDED: Mapping[str, str] = {
    "campaigns.actions.inbound:settle": "notes that the peer has read our answers",
    "campaigns.actions.lanes:clear_lanes": "the change of ranges that asks for it was recorded",
    "campaigns.actions.list_moves:move": PART,
    "campaigns.actions.moves:move": PART,
    "campaigns.actions.moves:replan": PART,
    "campaigns.actions.records:forget_records": "removes files with numbers after their two days",
    "campaigns.actions.reply_upkeep:forget_redeliveries": KEEPS_WELL,
    "campaigns.actions.revealing:must_be_allowed": REFUSES,
    "campaigns.actions.review:digest_of": READS,
    "campaigns.actions.running:audience_digest": READS,
    "campaigns.actions.sending.desk:CampaignDesk.receive": "stores receipts, which are no decision",
    "campaigns.actions.sending.desk:CampaignDesk.settle_messages": "calls inbound.settle",
    "campaigns.actions.segment_writing:SegmentWriter.add": "writes a file, recorded as sealed",
    "campaigns.actions.segment_writing:SegmentWriter.finish": "writes a file, recorded as sealed",
    "campaigns.actions.sending.threads:on_own_connection": "a connection for verbs that record",
    "campaigns.actions.upkeep:ensure_partitions": KEEPS_WELL,
    "campaigns.actions.upkeep:forget_observations": KEEPS_WELL,
    "campaigns.actions.upkeep:forget_requests": KEEPS_WELL,
    "campaigns.actions.upkeep:give_up_receipts": "an outcome of messages, sealed as such",
    "campaigns.actions.uploads:append": "the list is recorded when its file is whole (list.upload)",
    "campaigns.actions.uploads:forget_file": "the list is recorded when it is ready (list.ready)",
    "campaigns.actions.uploads:start_upload": "recorded when its file is whole (list.upload)",
    "smpp_client.actions.connections:tell": PART,
    "smpp_client.actions.connections:write": PART,
    "smpp_client.actions.reports:break_off_silent": "asking for the check was recorded",
    "smpp_client.actions.reports:run_report": "asking for the check was recorded",
    "smpp_client.actions.route_state:observe_routes": "an observation; what it holds is recorded",
    "workspaces.actions.guesses:count_guess": COUNTS,
    "workspaces.actions.guesses:forget_guesses": COUNTS,
    "workspaces.actions.guesses:sweep_guesses": COUNTS,
    "workspaces.actions.keys:touch": REMEMBERS,
    "workspaces.actions.noting:note_denied": REFUSES,
    "workspaces.actions.passwords:prove_password": REFUSES,
    "workspaces.actions.passwords:take_link_turn": "keeps people from being mailed too often",
    "workspaces.actions.people:remember_workspace": REMEMBERS,
    "workspaces.actions.sessions:drop_sessions": PART,
    "workspaces.actions.sessions:rename_session": "the browser's session goes on",
    "workspaces.actions.sessions:see_session": REMEMBERS,
    "workspaces.actions.sessions:sweep_sessions": KEEPS_WELL,
    "workspaces.actions.users:insert_user": PART,
}
# The log's own machinery records what it does in ways of its own; its verbs name who acts.
MACHINERY = "audit.actions."


def asked() -> list[str]:
    return [name for name in verbs.verbs() if not name.startswith(MACHINERY)]


@pytest.mark.parametrize("name", asked())
def test_every_verb_records_what_it_does(name: str) -> None:
    assert verbs.records(name) or name in UNRECORDED, (
        f"{name} changes rows and reaches no record(...). Record it, or say in UNRECORDED why not."
    )


def test_no_verb_that_records_is_excused() -> None:
    assert [name for name in asked() if name in UNRECORDED and verbs.records(name)] == []


def test_a_verb_that_forgets_would_be_found() -> None:
    """The reading itself: without its one call of `note` a verb records nothing."""
    name = "campaigns.actions.senders:archive_sender"
    assert verbs.records(name)
    assert not verbs.records(name, without={"workspaces.actions.noting:note"})


@pytest.mark.parametrize("name", [one for one in asked() if verbs.reached(one) & verbs.NOT_DONE])
def test_a_verb_that_only_says_whom_it_refused_would_be_found(name: str) -> None:
    assert not verbs.records(name, without={"audit.actions.record:record"})


def quoted() -> Iterator[str]:
    """Yield every dotted word that stands between quotes in the product's code."""
    for app in ("audit", "workspaces", "smpp_client", "campaigns", "message_center"):
        for path in sorted((verbs.ROOT / app).rglob("*")):
            if path.suffix in {".py", ".sql"} and path.name not in {"operations.py", "filter.py"}:
                yield from re.findall(
                    r"""["']([a-z_]+\.[a-z_]+)["']""", path.read_text(encoding="utf-8")
                )


def test_every_published_operation_is_recorded_somewhere() -> None:
    assert set(OPERATIONS) - set(quoted()) == set()


def test_every_operation_says_its_fields() -> None:
    assert set(OPERATIONS) - set(FIELDS) == set()


def test_what_calls_say_is_published() -> None:
    assert [call for call in spoken.said() if not _is_published(call)] == []


def _is_published(call: spoken.Said) -> bool:
    fields = FIELDS[call.op]
    return (
        call.objects <= fields.objects
        and (EVERY_COLUMN in fields.diff or call.diff <= fields.diff)
        and call.personal <= fields.personal
    )


def test_every_beginning_that_accounts_for_a_change_is_an_operations() -> None:
    beginnings = {one for watched in WATCHED.values() for one in watched.accounts}
    assert [one for one in beginnings if not any(op.startswith(one) for op in OPERATIONS)] == []


def test_the_published_page_is_the_dictionary() -> None:
    """After a change: manage.py audit_operations."""
    assert (verbs.ROOT / "docs" / "OPERATIONS.md").read_text(encoding="utf-8") == page()


def test_the_edition_follows_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    before = edition()
    monkeypatch.setitem(FIELDS, "pd.erase", Fields())
    assert edition() != before

"""A subscriber's number is erased: looked at, confirmed, recorded, and evidence still verifies."""

import json
import re
from functools import partial
from hashlib import sha256
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from psycopg import errors

from audit.queries.verification import verify
from audit.rules.findings import Outside
from audit.rules.hashes import commitment
from campaigns.actions import building, erasing
from campaigns.actions.opt_outs import OptOutRefused, add_opt_out, lift_opt_out
from campaigns.actions.running import audience_digest, start
from campaigns.models import RecipientFault
from campaigns.queries.lists import all_faults
from campaigns.queries.opt_outs import find_opt_out
from campaigns.rules.faults import Fault
from campaigns.rules.intake import row_context, value_context
from tests import make
from tests.audit.make import rows
from tests.campaigns.evidence.ground import REASON, Sealed
from tests.campaigns.evidence.test_taking import judge, take, unzipped
from tests.workspaces.log import entries
from workspaces.queries.keys import keys
from workspaces.scope import scope, scope_everywhere

erased_for_good = import_module("campaigns.migrations.0013_erased_for_good")

BASIS = "Request of the person, article 17(1)(b)"
NUMBER = f"+{make.number(1)}"
HELD = (
    "SELECT (SELECT count(*) FROM recipient WHERE number_sealed IS NOT NULL AND fingerprint = %s),"
    " (SELECT count(*) FROM opt_out WHERE number_sealed <> ''),"
    " (SELECT count(*) FROM inbound_message WHERE content_sealed IS NOT NULL)"
)

BEFORE = """
DROP TRIGGER recipient_erased ON recipient;
DROP FUNCTION recipient_erased;
ALTER TABLE recipient DISABLE TRIGGER recipient_written_once;
DROP FUNCTION campaign_audience_digest(bigint, boolean);
CREATE FUNCTION campaign_audience_digest(bigint) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea';
SELECT set_config('app.workspace', '*', true);
"""
# One with what it said, the other with the digest of that alone.
ERASED_BEFORE = """
UPDATE recipient SET number_sealed = NULL,
    values_digest = CASE WHEN row_number > 1 THEN sha256(convert_to("values"::text, 'UTF8')) END,
    "values" = CASE WHEN row_number > 1 THEN '{}' ELSE "values" END
WHERE recipient_list_id = %s
"""


def erase(sealed: Sealed, monkeypatch: pytest.MonkeyPatch, *, number: int = 1, **words: str) -> str:
    """Run the command as its operator does, who types the number."""
    out = StringIO()
    monkeypatch.setattr("builtins.input", lambda _prompt: f"+{make.number(number)}")
    call_command("erase_number", sealed.place.slug, **{"basis": BASIS, "stdout": out, **words})
    return out.getvalue()


def confirmed(sealed: Sealed, monkeypatch: pytest.MonkeyPatch, *, number: int = 1) -> str:
    """Erase it in two steps; return what is said at the end."""
    looked = erase(sealed, monkeypatch, number=number)
    [code] = re.findall(r"--confirm ([0-9a-f]{8})", looked)
    return erase(sealed, monkeypatch, number=number, confirm=code)


def wrote(sealed: Sealed) -> None:
    """Let the subscriber have written something."""
    fingerprint, sealed_number = keys().fingerprint(make.number(1)), b"sealed"
    sealed.sql(
        "INSERT INTO inbound_message (uuid, workspace_id, connection_id, digest, is_settled,"
        " received_at, fingerprint, number_sealed, destination, content_sealed, coding, reference,"
        " part, part_count, wish) SELECT gen_random_uuid(), %s, c.id, 'd', true, now(), %s, %s,"
        " '1234', 'x', 'gsm', 0, 1, 1, '' FROM connection c ORDER BY c.id LIMIT 1",
        sealed.place.pk,
        fingerprint,
        sealed_number,
    )


def counts(sealed: Sealed) -> tuple[int, ...]:
    with scope(sealed.place):
        return tuple(sealed_sql(sealed, HELD, keys().fingerprint(make.number(1)))[0])


def sealed_sql(sealed: Sealed, statement: str, *values: Any) -> list[Any]:
    superuser = sealed.connect("superuser")
    return rows(superuser, statement, *values)


def test_a_number_goes_everywhere_after_two_steps_and_evidence_still_answers(
    long_ago: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, segments = long_ago.send(rows=3)
    long_ago.receipts(segments)
    long_ago.seal()
    wrote(long_ago)
    with scope(long_ago.place):
        one = add_opt_out(
            by=long_ago.admin, text=NUMBER, country="GB", words="asked", now=timezone.now()
        )
    long_ago.sign()
    outside = len(_outside(long_ago))
    looked = erase(long_ago, monkeypatch)
    assert (
        "1 rows of audiences, 0 faulty rows, 1 opt-outs, 1 replies and 1 values of the audit log"
        in looked
    )
    assert counts(long_ago) == (1, 1, 1)
    with pytest.raises(CommandError, match="not the code"):
        erase(long_ago, monkeypatch, confirm="00000000")
    [code] = re.findall(r"--confirm ([0-9a-f]{8})", looked)
    said = erase(long_ago, monkeypatch, confirm=code)
    assert counts(long_ago) == (0, 0, 0)
    assert "Still held" not in said
    query = "SELECT count(*) FROM audit_private.audit_disclosure WHERE value = %s"
    assert sealed_sql(long_ago, query, NUMBER) == [(0,)]
    # The entry commits to the number; who has the salt can show that it is about him.
    values, erased = entries(long_ago.place)[-2:]
    assert (values["op"], erased["op"]) == ("pd.erase", "number.erase")
    [salt] = re.findall(r"[0-9a-f]{64}", said)
    assert erased["diff"]["number"] == [commitment(bytes.fromhex(salt), "number", NUMBER), None]
    assert (erased["why"], erased["diff"]["replies"]) == (BASIS, [1, 0])
    assert "77009" not in str(erased)
    assert len(_outside(long_ago)) == outside
    # He still gets nothing, his opt-out can still be lifted, and his evidence is still there.
    with scope(long_ago.place):
        shown = find_opt_out(long_ago.place, one.pk)
        assert shown is not None
        assert shown.number == "erased"
        with pytest.raises(OptOutRefused, match="opted out already"):
            add_opt_out(by=long_ago.admin, text=NUMBER, country="GB", words="x", now=timezone.now())
        lift_opt_out(by=long_ago.admin, opt_out_id=one.pk, reason="asked again", now=timezone.now())
    long_ago.sign()
    folder = unzipped(take(long_ago, campaign, 1), tmp_path / "zip")
    assert set(judge(long_ago, folder, number=NUMBER).counts) == set()
    reader = long_ago.connect("app")
    reader.execute("SELECT set_config('app.workspace_uuid', '*', false)")
    report = verify(reader, workspace=None, outside=Outside(), now=timezone.now())
    codes = {found.code for found in report.findings}
    assert codes <= {"H00", "A00", "K00", "E05"}, report.findings


def test_what_his_row_said_goes_too_and_the_audience_is_still_the_approved_one(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope_everywhere(REASON):
        campaign = make.approved(sealed.admin, sealed.desk.route, 3)
    row = (
        'SELECT number_sealed, "values" FROM recipient'
        " WHERE recipient_list_id = %s AND fingerprint = %s"
    )
    his = (campaign.recipient_list_id, keys().fingerprint(make.number(1)))
    assert sealed_sql(sealed, row, *his)[0][1] == {"name": "Name1"}
    confirmed(sealed, monkeypatch)
    assert sealed_sql(sealed, row, *his) == [(None, {})]
    with scope(sealed.place):
        assert audience_digest(campaign.pk) == bytes(campaign.audience_digest or b"")
        started = start(number=campaign.number, by=sealed.admin, now=timezone.now())
    assert started.state == "sending"


def test_nothing_that_stays_confirms_a_guess_of_what_his_row_said(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the row's digest nor its audience's, to who guesses rightly and knows all the rest;
    both have the sealed number in them, which is gone with its random nonce.
    """
    with scope_everywhere(REASON):
        campaign = make.approved(sealed.admin, sealed.desk.route, 1)
    person, said = keys().fingerprint(make.number(0)), sha256(b'{"name": "Name0"}').digest()
    row = "SELECT number_sealed, values_digest FROM recipient WHERE recipient_list_id = %s"
    [(number, nothing)] = sealed_sql(sealed, row, campaign.recipient_list_id)
    assert nothing is None
    confirmed(sealed, monkeypatch, number=0)
    stays = sha256(number + said).digest()
    assert sealed_sql(sealed, row, campaign.recipient_list_id) == [(None, stays)]

    def audience(one: bytes) -> bytes:
        return sha256(bytes(8) + person + b"\0\1" + one).digest()

    assert bytes(campaign.audience_digest or b"") == audience(stays) != audience(said)


@pytest.mark.parametrize(("is_erased", "state"), [(False, "sending"), (True, "held")])
def test_an_audience_that_an_earlier_release_froze_holds_until_one_of_it_is_erased(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch, *, is_erased: bool, state: str
) -> None:
    with scope_everywhere(REASON), monkeypatch.context() as patch:
        patch.setattr(building, "audience_digest", partial(audience_digest, with_numbers=False))
        campaign = make.approved(sealed.admin, sealed.desk.route, 3)
    if is_erased:
        confirmed(sealed, monkeypatch)
    with scope(sealed.place):
        assert start(number=campaign.number, by=sealed.admin, now=timezone.now()).state == state


@pytest.mark.parametrize("is_erased", [False, True])
@pytest.mark.parametrize(
    "change",
    ['"values" = \'{"name": "other"}\'', "values_digest = sha256('x')", "number_sealed = 'x'"],
)
def test_a_row_is_erased_whole_or_not_changed(
    sealed: Sealed, change: str, *, is_erased: bool
) -> None:
    with scope_everywhere(REASON):
        make.approved(sealed.admin, sealed.desk.route, 1)
    if is_erased:
        sealed_sql(sealed, "UPDATE recipient SET number_sealed = NULL RETURNING 1")
    with pytest.raises(errors.CheckViolation, match="written once"):
        sealed_sql(sealed, f"UPDATE recipient SET {change} RETURNING 1")  # noqa: S608


def test_an_upgrade_takes_what_stayed_of_numbers_that_were_erased_before(sealed: Sealed) -> None:
    """In every workspace, although the role that upgrades sees no rows by itself."""
    with scope_everywhere(REASON):
        campaign = make.approved(sealed.admin, sealed.desk.route, 2)
    with sealed.connect("owner").transaction(force_rollback=True) as transaction:
        owner = transaction.connection
        owner.execute(BEFORE)
        owner.execute(ERASED_BEFORE, [campaign.recipient_list_id])
        owner.execute("SELECT set_config('app.workspace', '', true)")
        owner.execute(erased_for_good.SQL)
        owner.execute("SELECT set_config('app.workspace', '*', true)")
        row = 'SELECT "values", values_digest FROM recipient WHERE recipient_list_id = %s'
        assert rows(owner, row, campaign.recipient_list_id) == [({}, None)] * 2


def test_a_row_of_a_file_that_was_not_taken_is_emptied(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number among others, or beside a text that is too long, lies in a faulty row."""
    cells = [f"0{NUMBER[3:]} / 0{make.number(2)[2:]}", "Jane"]
    with scope(sealed.place):
        lst = make.recipient_list(sealed.place, sealed.admin.user, [])
        for row, said in ((2, cells), (3, [make.number(3), "Ann"])):
            RecipientFault.objects.create(
                workspace=sealed.place,
                recipient_list=lst,
                row_number=row,
                code=Fault.TWO_NUMBERS,
                value_sealed=keys().seal(said[0], value_context(lst.pk)),
                row_sealed=keys().seal(json.dumps(said), row_context(lst.pk)),
            )
    looked = erase(sealed, monkeypatch)
    assert "1 faulty rows" in looked
    [code] = re.findall(r"--confirm ([0-9a-f]{8})", looked)
    erase(sealed, monkeypatch, confirm=code)
    with scope(sealed.place):
        assert [one for _row, _why, one in all_faults(lst)] == [[], [make.number(3), "Ann"]]
        assert (
            keys().open(bytes(lst.faults.earliest("pk").value_sealed), value_context(lst.pk)) == ""
        )
    assert entries(sealed.place)[-1]["diff"]["faulty_rows"] == [1, 0]
    assert "0 faulty rows" in erase(sealed, monkeypatch)


def test_no_entry_says_that_a_number_is_gone_while_the_log_still_holds_it(
    long_ago: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks off among the log's values has not said that they are gone."""
    with scope(long_ago.place):
        add_opt_out(by=long_ago.admin, text=NUMBER, country="GB", words="a", now=timezone.now())
    long_ago.sign()
    [code] = re.findall(r"--confirm ([0-9a-f]{8})", erase(long_ago, monkeypatch))

    def killed(**_words: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "erase", killed)
        with pytest.raises(KeyboardInterrupt):
            erase(long_ago, patch, confirm=code)
    assert "number.erase" not in {said["op"] for said in entries(long_ago.place)}
    erase(long_ago, monkeypatch, confirm=code)
    assert entries(long_ago.place)[-1]["diff"]["entries"] == [1, 0]


def _outside(sealed: Sealed) -> list[Any]:
    query = "SELECT op FROM audit_event WHERE op LIKE '%%.changed\\_outside'"
    return sealed_sql(sealed, query)


def test_what_is_held_nowhere_or_erased_without_a_ground_is_refused(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "0 rows of audiences" in erase(sealed, monkeypatch)
    with pytest.raises(CommandError, match="holds this number nowhere"):
        erase(sealed, monkeypatch, confirm="00000000")
    with pytest.raises(CommandError, match="legal ground"):
        erase(sealed, monkeypatch, confirm="00000000", basis="because")
    monkeypatch.setattr("builtins.input", lambda _prompt: "12")
    with pytest.raises(CommandError), scope_everywhere(REASON):
        call_command("erase_number", sealed.place.slug, basis=BASIS)

"""What a superuser can do to the real database, and who finds it.

Three look: the signer, which follows with its own memory; the nightly check, which hashes all of it
again and compares it with the night before; and the verifier, with the checkpoint that a reader
kept. The attacker knows the formulas and, where it says so, the site's secret, and hands over a
bundle that he made himself. Nobody of the three trusts the other two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from audit.actions.sequence import Sequencer
from audit.actions.sign import HELD, Refused
from audit.queries import chains
from audit.queries.checking import check
from audit.queries.guards import check_guards
from audit.rules.checked import Checked
from audit.rules.findings import Outside, Report
from audit.rules.watched import not_watching, watching
from tests.audit import insider
from tests.audit.conftest import Log
from tests.audit.make import MARKETING, NOW, ROAMING, append, without_guards
from tests.audit.site import DELETE_ENTRY, EDIT, HOUR, SECRET, SET_BACK, Site
from tests.audit.test_verification import forge_all_epochs
from tests.conftest import Database

Attack = Callable[[Site], None]


@dataclass(frozen=True)
class Found:
    """The first code that each of the three says; "" where it sees nothing."""

    signer: str = ""
    check: str = ""
    verifier: str = ""


class Watch:
    """An installation that ran for four hours, and what each of the three remembers of it."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder
        site.write(MARKETING, ROAMING)
        site.hours(4)
        report, self.before = self._check(None)
        assert report == ""
        self.held = site.folder.read(HELD) or ""

    def found(self) -> Found:
        return Found(self._sign(), self._check(self.before)[0], self._judge())

    def _sign(self) -> str:
        try:
            self.site.signer = None
            self.site.sign()
        except Refused as refused:
            return str(refused)[:3]
        return ""

    def _check(self, before: Checked | None) -> tuple[str, Checked | None]:
        reader = self.site.log.connect("app")
        chains.see_everything(reader)
        report, after = check(reader, before=before, outside=Outside(), now=NOW)
        codes = [one.code for one in report.findings if not one.is_warning]
        return codes[0] if codes else "", after

    def _judge(self) -> str:
        report = insider.judged(self.site, self.folder, self.held)
        failures = [one.code for one in report.findings if one.kind == "failure"]
        return failures[0] if failures else ""


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Site:
    return Site(log, tmp_path / "audit")


@pytest.fixture
def watch(site: Site, tmp_path: Path) -> Watch:
    return Watch(site, tmp_path / "bundle")


def nothing(site: Site) -> None:
    """An honest hour."""
    site.write()
    site.sequence(4 * HOUR)


def edit_an_entry(site: Site) -> None:
    site.attack(EDIT.format(seq=2))


def edit_an_entry_and_its_hashes(site: Site) -> None:
    """One row that is right in itself, in a chain that is not."""
    edit_an_entry(site)
    site.attack(
        "UPDATE audit_event SET leaf = sha256('\\x00'::bytea || convert_to(body, 'UTF8'))",
        "UPDATE audit_entry n SET hash = sha256(convert_to(concat_ws(E'\\n', 'smsc-audit-entry/v1',"
        " n.ws, n.seq, to_char(n.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
        " encode(n.prev, 'hex'), encode(v.leaf, 'hex')) || E'\\n', 'UTF8'))"
        " FROM audit_event v WHERE v.id = n.event_id AND n.ws = :marketing AND n.seq = 2",
    )


def delete_an_entry(site: Site) -> None:
    site.attack(DELETE_ENTRY.format(seq=2))


def delete_an_entry_and_rehash(site: Site) -> None:
    delete_an_entry(site)
    site.rehash()


def delete_the_newest_and_set_the_head_back(site: Site) -> None:
    site.attack(DELETE_ENTRY.format(seq=5), SET_BACK.format(seq=4))


def edit_and_rehash_the_whole_chain(site: Site) -> None:
    edit_an_entry(site)
    site.rehash()


def edit_rehash_and_forge_all_epochs(site: Site) -> None:
    """He knows the site's secret too; the notes that no longer fit he takes out."""
    notes = site.notes()
    edit_and_rehash_the_whole_chain(site)
    forge_all_epochs(site)
    with without_guards(site.superuser):
        for number, note in enumerate(notes):
            site.superuser.execute(
                "UPDATE audit_epoch SET note = %s WHERE epoch = %s", [note, number]
            )


def switch_the_guards_off_and_on(site: Site) -> None:
    """What he did in between may be undone; that he could do it is seen."""
    site.superuser.execute("ALTER TABLE audit_event DISABLE TRIGGER ALL")
    site.superuser.execute("ALTER TABLE audit_event ENABLE TRIGGER ALL")


def drop_a_watch(site: Site) -> None:
    site.superuser.execute("DROP TRIGGER audit_watch_update ON membership")


def weaken_a_function(site: Site) -> None:
    site.superuser.execute(
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN OLD; END $$"
    )


def give_the_product_a_right(site: Site) -> None:
    site.superuser.execute("GRANT UPDATE ON audit_event TO mc_app")


def give_everybody_a_right(site: Site) -> None:
    site.superuser.execute("GRANT EXECUTE ON FUNCTION audit_prune(uuid, uuid) TO PUBLIC")


def let_chains_fork(site: Site) -> None:
    site.superuser.execute("ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_no_fork")


def show_tenants_each_other(site: Site) -> None:
    site.superuser.execute("ALTER TABLE audit_event DISABLE ROW LEVEL SECURITY")


def recreate_a_guard_that_never_fires(site: Site) -> None:
    site.superuser.execute(
        "DROP TRIGGER audit_no_change ON audit_event;"
        " CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW"
        " WHEN (false) EXECUTE FUNCTION audit_only_pruned();"
        " ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_no_change"
    )


def recreate_a_guard_that_calls_a_namesake(site: Site) -> None:
    """The same name in a schema that the product's sessions find first."""
    site.superuser.execute(
        "CREATE SCHEMA other; CREATE FUNCTION other.audit_refuse() RETURNS trigger"
        " LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;"
        " SET LOCAL search_path = other, public;"
        " DROP TRIGGER audit_no_change ON audit_entry;"
        " CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW"
        " EXECUTE FUNCTION audit_refuse();"
        " ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_no_change"
    )


def let_a_watch_account_for_everything(site: Site) -> None:
    """Any operation of the transaction excuses a change of memberships."""
    text = watching("membership").replace("member.%,role.grant%", "%")
    site.superuser.execute(not_watching("membership").encode())
    site.superuser.execute(text.encode())


def swallow_events(site: Site) -> None:
    site.superuser.execute(
        "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;"
        " CREATE TRIGGER z BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION other()"
    )


def swallow_events_by_a_rule(site: Site) -> None:
    site.superuser.execute("CREATE RULE z AS ON INSERT TO audit_pending DO INSTEAD NOTHING")


def keep_the_name_of_a_constraint(site: Site) -> None:
    let_chains_fork(site)
    site.superuser.execute(
        "ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_no_fork UNIQUE (ws, seq, prev)"
    )


def keep_the_name_of_a_policy(site: Site) -> None:
    site.superuser.execute("ALTER POLICY workspace_only ON audit_event USING (true)")


def lead_the_product_elsewhere(site: Site) -> None:
    """Where its sessions look first there may be another `audit_append`."""
    site.superuser.execute("ALTER ROLE mc_app SET search_path = other, public")


def take_an_event_out_of_the_queue(site: Site) -> None:
    """Recorded and never numbered: the chain shows no gap."""
    event = append(site.runtime)
    site.superuser.execute(
        "DELETE FROM audit_pending WHERE event_id = (SELECT id FROM audit_event WHERE eid = %s)",
        [event.eid],
    )


def append_in_another_form(site: Site) -> None:
    """Whoever has the product's role can hand in JSON that is not canonical."""
    insider.append_in_another_form(site)
    site.sequence(4 * HOUR)


def append_another_workspaces(site: Site) -> None:
    insider.append_another_workspaces(site)
    site.sequence(4 * HOUR)


def fork(site: Site) -> None:
    """Two futures of entry 3: one was signed, the other stands there now."""
    site.attack("DELETE FROM audit_entry WHERE ws = :marketing AND seq > 3", SET_BACK.format(seq=3))
    site.write()
    site.write()
    site.sequence(5 * HOUR)


def remove_a_workspace(site: Site) -> None:
    site.attack("DELETE FROM audit_head WHERE slot = 2")


def put_an_old_day_back(site: Site) -> None:
    """Every table of the log as it was two hours ago, which was honest and signed."""
    site.attack(
        "DELETE FROM audit_entry WHERE ws = :marketing AND seq > 3",
        SET_BACK.format(seq=3),
        "DELETE FROM audit_epoch WHERE epoch > 1",
        "DELETE FROM audit_epoch_change WHERE epoch > 1",
        "DELETE FROM audit_event v WHERE NOT EXISTS"
        " (SELECT FROM audit_entry e WHERE e.event_id = v.id)",
    )


# Attack -> who finds it, by the first code that he says.
ATTACKS: Mapping[Attack, Found] = {
    nothing: Found(),
    edit_an_entry: Found(check="C05", verifier="C05"),
    edit_an_entry_and_its_hashes: Found(check="C04", verifier="P02"),
    delete_an_entry: Found(check="C03", verifier="P02"),
    delete_an_entry_and_rehash: Found("A04", "H03", "P02"),
    delete_the_newest_and_set_the_head_back: Found("A04", "H03", "P02"),
    edit_and_rehash_the_whole_chain: Found("A01", "H04", "P02"),
    edit_rehash_and_forge_all_epochs: Found("H04", "H04", "E07"),
    fork: Found("A02", "H04", "P02"),
    put_an_old_day_back: Found("H03", "H03", "H03"),
    remove_a_workspace: Found("E06", "E06", "P02"),
    append_in_another_form: Found("C07"),
    append_another_workspaces: Found("C12"),
    take_an_event_out_of_the_queue: Found(check="N02"),
    switch_the_guards_off_and_on: Found(check="G01"),
    drop_a_watch: Found(check="G01"),
    weaken_a_function: Found(check="G03"),
    give_the_product_a_right: Found(check="G05"),
    give_everybody_a_right: Found(check="G05"),
    let_chains_fork: Found(check="G04"),
    show_tenants_each_other: Found(check="G04"),
    recreate_a_guard_that_never_fires: Found(check="G02"),
    recreate_a_guard_that_calls_a_namesake: Found(check="G02"),
    let_a_watch_account_for_everything: Found(check="G02"),
    swallow_events: Found(check="G02"),
    swallow_events_by_a_rule: Found(check="G04"),
    keep_the_name_of_a_constraint: Found(check="G04"),
    keep_the_name_of_a_policy: Found(check="G04"),
    lead_the_product_elsewhere: Found(check="G05"),
}
# They change the shape of the database, which other tests share: seen inside a transaction.
OF_SHAPE = (
    switch_the_guards_off_and_on,
    drop_a_watch,
    weaken_a_function,
    give_the_product_a_right,
    give_everybody_a_right,
    let_chains_fork,
    show_tenants_each_other,
    recreate_a_guard_that_never_fires,
    recreate_a_guard_that_calls_a_namesake,
    let_a_watch_account_for_everything,
    swallow_events,
    swallow_events_by_a_rule,
    keep_the_name_of_a_constraint,
    keep_the_name_of_a_policy,
    lead_the_product_elsewhere,
)


@pytest.mark.parametrize(
    "attack", [one for one in ATTACKS if one not in OF_SHAPE], ids=lambda one: one.__name__
)
def test_who_finds_what_was_done_to_the_log(watch: Watch, attack: Attack) -> None:
    attack(watch.site)
    assert watch.found() == ATTACKS[attack]


@pytest.mark.parametrize("attack", OF_SHAPE, ids=lambda one: one.__name__)
def test_the_check_finds_what_was_done_to_its_guards(site: Site, attack: Attack) -> None:
    with site.superuser.transaction(force_rollback=True):
        attack(site)
        report = Report()
        check_guards(site.superuser, report)
    assert {one.code for one in report.findings} == {ATTACKS[attack].check}


def test_a_restored_backup_is_found_by_all_three(
    database: Database, own_log: Log, tmp_path: Path
) -> None:
    """A copy of the whole database's files, put back an hour later by whoever owns the machine."""
    watch = Watch(Site(own_log, tmp_path / "audit"), tmp_path / "bundle")
    backup = f"{database.name}_backup"
    _copy(own_log, database.name, backup)
    _connect_again(watch.site)
    watch.site.write()
    watch.site.sequence(4 * HOUR)
    watch.site.sign()
    watch.before, watch.held = watch._check(watch.before)[1], watch.site.folder.read(HELD) or ""
    own_log.ground.drop(database.name)
    _copy(own_log, backup, database.name)
    own_log.ground.drop(backup)
    _connect_again(watch.site)
    assert watch.found() == Found("H03", "H03", "H03")


def _copy(log: Log, source: str, target: str) -> None:
    log.close()
    with psycopg.connect(log.ground.url("superuser", "postgres"), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source]
        )
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(target), sql.Identifier(source)
            )
        )


def _connect_again(site: Site) -> None:
    site.runtime, site.superuser = site.log.connect("app"), site.log.connect("superuser")
    site.sequencer = Sequencer(site.log.connect("sequencer"), secret=SECRET, epoch_seconds=HOUR)
    site.signer = None

"""How the installation is: each check with its finding in words. Needs scope_everywhere.

What is not observed is said to be not known, never to be well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.queries.status import STALE, chain_status
from campaigns.models import Campaign
from campaigns.queries import installation_parts as parts
from campaigns.queries.troubles import old_batches, wrong_counts
from campaigns.queries.why import OVERDUE
from campaigns.rules.campaign_states import State
from campaigns.rules.findings import Finding, Tone
from smpp_client.models import Connection, SessionStatus
from workspaces.models import Installation
from workspaces.queries.access import installation_uuid

# The owner of a session writes about once a second.
FRESH = timedelta(seconds=5)
MOST = 10_000
FULL = 0.8
PARTITIONED = ("message", "submission", "receipt")


def findings(now: datetime) -> list[Finding]:
    """Return every check's finding, in the order of the page."""
    return [replace(check(now), code=code) for code, check in CHECKS.items()]


def findings_without_database(now: datetime) -> list[Finding]:
    """Return what can be known while the database is away. Asks it nothing."""
    sentence = _("It does not answer. Nothing can be decided until it does; nothing is lost.")
    found = [Finding(_("Database"), "bad", sentence, "database")]
    return found + [replace(CHECKS[code](now), code=code) for code in WITHOUT_DATABASE]


# What runs


def _database(_now: datetime) -> Finding:
    version, used, most, size = _row(
        "SELECT current_setting('server_version'),"
        " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
        " current_setting('max_connections')::integer, pg_database_size(current_database())"
    )
    words = {
        "version": version.split()[0],
        "used": used,
        "most": most,
        "size": filesizeformat(size),
    }
    sentence = _("PostgreSQL %(version)s, %(size)s, %(used)s of %(most)s connections in use.")
    tone: Tone = "warn" if used > FULL * most else "ok"
    return Finding(_("Database"), tone, sentence % words)


def _sender(now: datetime) -> Finding:
    last = SessionStatus.objects.order_by("-observed_at").values_list("observed_at", flat=True)
    newest = last.first()
    name = _("Sender process")
    if not Connection.objects.filter(is_enabled=True).exists():
        return Finding(name, "ok", _("There is no connection for it to serve."))
    if newest is None:
        return Finding(name, "bad", _("It has not observed a connection yet: it does not run."))
    if now - newest > FRESH:
        return Finding(
            name, "bad", _("Nothing was observed for %(n)s s: it does not run.") % _age(newest, now)
        )
    return Finding(name, "ok", _("It writes what it sees: last %(n)s s ago.") % _age(newest, now))


def _age(at: datetime, now: datetime) -> dict[str, str]:
    return {"n": f"{max((now - at).total_seconds(), 0):,.0f}"}


def _sweeps(now: datetime) -> Finding:
    """Infer from what they would have done: a campaign past its time was forgotten."""
    late = Campaign.objects.filter(deleted_at=None)
    waiting = late.filter(state=State.SCHEDULED, starts_at__lt=now - OVERDUE)
    over = late.filter(
        state__in=[State.SENDING, State.PAUSED, State.HELD], ends_at__lt=now - OVERDUE
    )
    count = waiting.count() + over.count()
    if not count:
        return Finding(_("Sweeps"), "ok", _("No campaign is past its time."))
    sentence = ngettext(
        "%(n)s campaign should have been started or ended: the sweeps do not run.",
        "%(n)s campaigns should have been started or ended: the sweeps do not run.",
        count,
    )
    return Finding(_("Sweeps"), "bad", sentence % {"n": f"{count:,}"})


def _audit(now: datetime) -> Finding:
    status = chain_status(installation_uuid(), now=now)
    name = _("Last checkpoint")
    if status.last is None:
        return Finding(
            name,
            "bad",
            _("Nothing is signed yet: sequencer and signer have just begun, or do not run."),
        )
    minutes = {"n": f"{(now - status.last.at).total_seconds() / 60:,.0f}"}
    if status.is_stale:
        return Finding(
            name,
            "bad",
            _("The last signed checkpoint is %(n)s min old; one comes at least every %(most)s min.")
            % {**minutes, "most": round(STALE.total_seconds() / 60)},
        )
    return Finding(name, "ok", _("The last signed checkpoint is %(n)s min old.") % minutes)


# What must hold


def _role(_now: datetime) -> Finding:
    """The runtime role may neither change the log's rules nor pass row-level security."""
    role, owned, is_above = _row(
        "SELECT current_user::text,"
        " (SELECT count(*) FROM pg_class WHERE relname LIKE 'audit\\_%%' AND relkind IN ('r', 'v')"
        "  AND pg_has_role(current_user, relowner, 'MEMBER')),"
        " (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)"
    )
    words = {"role": role, "n": owned}
    name = _("Runtime role")
    if is_above:
        sentence = _("%(role)s passes row-level security: run setup_database as the owner.")
        return Finding(name, "bad", sentence % words)
    if owned:
        sentence = _("%(role)s owns %(n)s objects of the audit log and could change them.")
        return Finding(name, "bad", sentence % words)
    sentence = _("%(role)s owns nothing of the audit log and cannot pass row-level security.")
    return Finding(name, "ok", sentence % words)


def _partitions(now: datetime) -> Finding:
    months = [now.date(), (now.replace(day=1) + timedelta(days=32)).date()]
    wanted = [f"{table}_{month:%Y_%m}" for table in PARTITIONED for month in months]
    missing = [name for name in wanted if _row("SELECT to_regclass(%s)", [name])[0] is None]
    name = _("Partitions")
    if missing:
        sentence = _("Missing: %(names)s. Rows land in the default partition; the sweep mends it.")
        return Finding(name, "warn", sentence % {"names": ", ".join(missing)})
    stray = [table for table in PARTITIONED if _row(_SIZE, [f"{table}_default"])[0]]
    if stray:
        sentence = _(
            "Rows without a month of their own wait in the default partition of %(names)s."
        )
        return Finding(name, "warn", sentence % {"names": ", ".join(stray)})
    return Finding(name, "ok", _("This month and the next are there; no row is in a default one."))


_SIZE = "SELECT pg_relation_size(%s::regclass)"


def _installation(_now: datetime) -> Finding:
    """A database in doubt sends nothing until two people have confirmed it."""
    row = Installation.objects.get(id=1)
    words = {"uuid": row.uuid, "epoch": row.epoch}
    name = _("Installation")
    if row.doubt:
        sentence = _(
            "%(uuid)s: the database seems to be restored from a backup, so nothing is sent until"
            " two super admins have run manage.py confirm_restore."
        )
        return Finding(name, "bad", sentence % words)
    return Finding(name, "ok", _("%(uuid)s in epoch %(epoch)s since it was made.") % words)


def _counts(_now: datetime) -> Finding:
    wrong = len(wrong_counts())
    if not wrong:
        return Finding(_("Counts"), "ok", _("The counts of every campaign add up to its total."))
    sentence = ngettext(
        "The counts of %(n)s campaign do not add up.",
        "The counts of %(n)s campaigns do not add up.",
        wrong,
    )
    return Finding(_("Counts"), "bad", sentence % {"n": f"{wrong:,}"})


def _batches(now: datetime) -> Finding:
    old = len(old_batches(now))
    if not old:
        return Finding(_("Open batches"), "ok", _("None is older than 2 minutes."))
    sentence = ngettext(
        "%(n)s batch is open for more than 2 minutes.",
        "%(n)s batches are open for more than 2 minutes.",
        old,
    )
    return Finding(_("Open batches"), "warn", sentence % {"n": f"{old:,}"})


_RECEIPTS = "SELECT count(*) FROM (SELECT 1 FROM receipt WHERE result = %s LIMIT %s) r"


def _receipts(_now: datetime) -> Finding:
    (orphans,), (waiting,) = _row(_RECEIPTS, ["orphan", MOST]), _row(_RECEIPTS, ["", MOST])
    words = {"orphans": _most(orphans), "waiting": _most(waiting)}
    sentence = _("%(orphans)s fit no message of ours, %(waiting)s wait to be matched.") % words
    return Finding(_("Receipts"), "warn" if orphans or waiting >= MOST else "ok", sentence)


def _most(count: int) -> str:
    return _("%(n)s or more") % {"n": f"{count:,}"} if count >= MOST else f"{count:,}"


CHECKS: Mapping[str, Callable[[datetime], Finding]] = {
    "database": _database,
    "broker": parts.broker,
    "worker": parts.worker,
    "beat": parts.beat,
    "sweeps": _sweeps,
    "sender": _sender,
    "sequencer": parts.sequencer,
    "signer": parts.signer,
    "checkpoint": _audit,
    "log_check": parts.log_check,
    "sealing": parts.sealing,
    "fallback": parts.fallback,
    "fallback_lines": parts.fallback_lines,
    "disk": parts.disk,
    "certificates": parts.certificates_end,
    "runtime_role": _role,
    "partitions": _partitions,
    "installation": _installation,
    "counts": _counts,
    "open_batches": _batches,
    "receipts": _receipts,
}
WITHOUT_DATABASE = ("broker", "worker", "beat", "fallback", "disk")


def _row(statement: str, values: Sequence[Any] | None = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or [])
        return cursor.fetchone()

"""Whether the parts of the installation run, each by what it shows of itself."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.queries.fallback import LATE, State, look
from audit.queries.fallback_findings import sentence_of, tone_of
from audit.queries.fallback_missing import missing_lines
from audit.queries.last_check import last_check
from campaigns.queries.sealed import last_sealed_at
from campaigns.queries.sealing_state import unsealed_since
from campaigns.rules.findings import Finding, Tone
from smpp_client.queries.connections import certificates

QUEUE = "work"
# Less room than this is about to be none.
FREE_WARN, FREE_BAD = 5_000_000_000, 1_000_000_000
CERTIFICATE_BAD = 7


def fallback_state() -> State:
    """Return the state of this machine's fallback files."""
    return look(Path(settings.AUDIT_FALLBACK_DIR), settings.AUDIT_FALLBACK_MAX_BYTES)


def waiting_tasks() -> int | None:
    """Return how many tasks wait in the broker; None when it does not answer within a second."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return int(client.llen(QUEUE))
    except redis.RedisError:
        return None
    finally:
        client.close()


def broker(_now: datetime) -> Finding:
    """Valkey or Redis."""
    waiting = waiting_tasks()
    if waiting is None:
        return Finding(
            _("Broker"),
            "bad",
            _("It does not answer. Nothing is lost: the sweeps do what it would have nudged."),
        )
    sentence = ngettext("It answers; %(n)s task waits.", "It answers; %(n)s tasks wait.", waiting)
    return Finding(_("Broker"), "ok", sentence % {"n": f"{waiting:,}"})


def worker(now: datetime) -> Finding:
    """The worker's sweep shows life every ten seconds, with the database and without."""
    age = _sweep_age(now)
    if age is None:
        return Finding(_("Worker"), "bad", _("It has not shown life on this machine yet."))
    words = {"n": f"{age.total_seconds():,.0f}"}
    if age > LATE:
        sentence = _("It has not shown life for %(n)s s: it does not run, or beat does not.")
        return Finding(_("Worker"), "bad", sentence % words)
    return Finding(_("Worker"), "ok", _("It showed life %(n)s s ago.") % words)


def beat(now: datetime) -> Finding:
    """What a worker did was asked for by beat; without one, tasks pile up in the broker."""
    age = _sweep_age(now)
    if age is not None and age <= LATE:
        return Finding(_("Beat"), "ok", _("What it asked for was done a moment ago."))
    waiting = waiting_tasks()
    if waiting:
        return Finding(_("Beat"), "ok", _("It asks, and nobody does it: tasks pile up."))
    sentence = _("Nothing it asks for is done or waits: it does not run, or the broker is away.")
    return Finding(_("Beat"), "bad", sentence)


def sequencer(_now: datetime) -> Finding:
    """The process that numbers entries."""
    return _connected(_("Audit sequencer"), "message-center-sequencer")


def signer(_now: datetime) -> Finding:
    """The process that signs checkpoints."""
    return _connected(_("Audit signer"), "message-center-signer")


def sealing(now: datetime) -> Finding:
    """Message evidence: one pass each hour."""
    name = _("Message evidence")
    last_at = last_sealed_at()
    late_since = unsealed_since(last_at, now)
    if late_since is not None:
        words = {"n": f"{(now - late_since).total_seconds() / 3600:,.0f}"}
        sentence = _(
            "Nothing has been sealed for %(n)s hours: the pass of each hour fails, does not run, or"
            " waits for a transaction that nobody ends. The worker's log says why."
        )
        return Finding(name, "bad", sentence % words)
    if last_at is None:
        return Finding(name, "ok", _("Nothing is sealed yet: the first pass has not come."))
    words = {"n": f"{(now - last_at).total_seconds() / 60:,.0f}"}
    return Finding(name, "ok", _("Everything up to %(n)s min ago is sealed.") % words)


def log_check(now: datetime) -> Finding:
    """The check of the whole log, each night."""
    name, last = _("Check of the log"), last_check(now)
    if last.due_since is not None:
        words = {"n": f"{(now - last.due_since).total_seconds() / 3600:,.0f}"}
        sentence = _(
            "The log has not been checked for %(n)s hours: the check of each night fails or does"
            " not run. The worker's log says why."
        )
        return Finding(name, "bad", sentence % words)
    if last.at is None:
        return Finding(name, "ok", _("Not checked yet: the first check comes at night."))
    words = {"n": f"{max((now - last.at).total_seconds(), 0) / 3600:,.0f}"}
    if last.is_broken:
        sentence = _(
            "The check %(n)s h ago did not find all as it was: its entry in the platform's log"
            " says what."
        )
        return Finding(name, "bad", sentence % words)
    return Finding(name, "ok", _("Checked from its first entry on %(n)s h ago.") % words)


def certificates_end(now: datetime) -> Finding:
    """Our certificates, the first to end first."""
    name = _("Certificates")
    found = certificates(now)
    if not found:
        return Finding(name, "ok", _("No connection uses one."))
    first = found[0]
    if first.days_left is None:
        words = {"connection": first.connection.name, "why": first.trouble}
        return Finding(name, "bad", _("%(connection)s: %(why)s") % words)
    sentence = ngettext(
        "The first to end is that of %(connection)s, in %(days)s day.",
        "The first to end is that of %(connection)s, in %(days)s days.",
        first.days_left,
    )
    tone: Tone = "warn" if first.is_ending else "ok"
    if first.days_left <= CERTIFICATE_BAD:
        tone = "bad"
    words = {"connection": first.connection.name, "days": f"{first.days_left:,}"}
    return Finding(name, tone, sentence % words)


def disk(_now: datetime) -> Finding:
    """The disk of the data folder: uploads and fallback files."""
    name = _("Disk")
    folder = Path(settings.DATA_DIR)
    try:
        usage = shutil.disk_usage(next(one for one in (folder, *folder.parents) if one.exists()))
    except OSError as failure:
        words = {"why": failure.strerror}
        return Finding(name, "bad", _("The data folder cannot be asked: %(why)s.") % words)
    tone: Tone = "warn" if usage.free < FREE_WARN else "ok"
    if usage.free < FREE_BAD:
        tone = "bad"
    words = {"free": filesizeformat(usage.free), "all": filesizeformat(usage.total)}
    return Finding(name, tone, _("%(free)s of %(all)s are free for the data folder.") % words)


def fallback(_now: datetime) -> Finding:
    """What was written while the database was away."""
    state = fallback_state()
    return Finding(_("Audit fallback file"), tone_of(state).value, sentence_of(state))


def fallback_lines(_now: datetime) -> Finding:
    """Whether every line that a process says it wrote has entered the log."""
    name = _("Audit fallback lines")
    missing = missing_lines()
    if not missing:
        return Finding(name, "ok", _("None is missing of which a process says that it wrote it."))
    first = missing[0]
    sentence = _(
        "%(file)s: %(wrote)s lines were written, %(taken)s entered the log. It waits on its"
        " machine, or somebody cut it."
    )
    words = {"file": first.file, "wrote": f"{first.wrote:,}", "taken": f"{first.taken:,}"}
    return Finding(name, "warn", sentence % words)


def _sweep_age(now: datetime) -> timedelta | None:
    swept_at = fallback_state().swept_at
    return max(now - swept_at, timedelta(0)) if swept_at else None


def _connected(name: str, application: str) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
            " AND datname = current_database()",
            [application],
        )
        (count,) = cursor.fetchone()
    if count:
        return Finding(name, "ok", _("It is connected to the database."))
    return Finding(name, "bad", _("It is not connected to the database: it does not run."))

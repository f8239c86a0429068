"""The Celery application: two queues, `work` for short tasks and `sender` for the process that owns
the SMPP sessions.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog
from celery import Celery
from celery.schedules import crontab
from celery.signals import (
    beat_init,
    before_task_publish,
    heartbeat_sent,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_ready,
    worker_shutdown,
)
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "message_center.settings")
# Celery would run Django's checks, pass over what they find, and load every page for them: a third
# of what it takes to start, and to go on after a kill. make check asks them, and setup_database the
# one about mails.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

from message_center.sender import SenderStep

app = Celery("message_center")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(SenderStep)
app.conf.beat_scheduler = "message_center.beat:SingleScheduler"
# What a lost nudge would have done, done by the clock; milliseconds when nothing is due.
app.conf.beat_schedule = {
    "campaigns": {"task": "campaigns.sweep", "schedule": 2.0, "options": {"expires": 2}},
    "routes": {"task": "campaigns.watch_routes", "schedule": 2.0, "options": {"expires": 2}},
    "builds": {"task": "campaigns.sweep_builds", "schedule": 5.0, "options": {"expires": 5}},
    "lists": {"task": "campaigns.sweep_lists", "schedule": 5.0, "options": {"expires": 5}},
    "records": {"task": "campaigns.sweep_records", "schedule": 15.0, "options": {"expires": 15}},
    "checks": {"task": "smpp_client.sweep_reports", "schedule": 20.0, "options": {"expires": 20}},
    "fallback": {"task": "audit.sweep_fallback", "schedule": 10.0, "options": {"expires": 10}},
    "passes": {"task": "workspaces.keep_passes", "schedule": 20.0, "options": {"expires": 20}},
    "evidence": {"task": "audit.sweep_exports", "schedule": 10.0, "options": {"expires": 10}},
    "sessions": {"task": "workspaces.sweep_sessions", "schedule": 600.0},
    "receipts": {"task": "campaigns.give_up_receipts", "schedule": 600.0},
    "partitions": {"task": "campaigns.ensure_partitions", "schedule": 6 * 3600.0},
    "requests": {"task": "campaigns.forget_requests", "schedule": 3600.0},
    # Once a night, by the server's clock.
    "log": {"task": "audit.check", "schedule": crontab(hour=3, minute=10)},
    "anchors": {"task": "audit.sweep_anchors", "schedule": 30.0, "options": {"expires": 30}},
    "inbound": {"task": "campaigns.sweep_inbound", "schedule": 6 * 3600.0},
    "sealing": {"task": "campaigns.seal_messages", "schedule": 60.0, "options": {"expires": 60}},
    "unsealed": {"task": "campaigns.watch_sealing", "schedule": 60.0, "options": {"expires": 60}},
    "segments": {"task": "campaigns.prune_segments", "schedule": 6 * 3600.0},
}


@setup_logging.connect
def _keep_our_logs(**_: Any) -> None:
    """Django has configured the logs; having a receiver here keeps Celery from doing it again."""


@before_task_publish.connect
def _send_request_id(headers: dict[str, Any], **_: Any) -> None:
    """Give a task the id of the request that asked for it."""
    headers["request_id"] = structlog.contextvars.get_contextvars().get("request_id", "")


@task_prerun.connect
def _log_with_request_id(task: Any, **_: Any) -> None:
    request_id = getattr(task.request, "request_id", "")
    if request_id:
        structlog.contextvars.bind_contextvars(request_id=request_id)


@task_postrun.connect
def _log_without_request_id(**_: Any) -> None:
    structlog.contextvars.unbind_contextvars("request_id")


def _show_life(**_: Any) -> None:
    """Touch ALIVE_FILE: it appears when the process is ready and stays fresh while it works.

    The demo's supervisor waits for it and the containers' health checks look at its age.
    """
    file = os.environ.get("ALIVE_FILE")
    if file:
        Path(file).touch()


def _note_start(sender: Any = None, **_: Any) -> None:
    _note("process.start", sender)


def _note_stop(sender: Any = None, **_: Any) -> None:
    _note("process.stop", sender)


def _note(op: str, worker: Any) -> None:
    """Record that a worker begins or ends; its name begins with what it does (`sender@host`)."""
    program = str(getattr(worker, "hostname", "") or "worker").partition("@")[0]
    # Celery is loaded before Django's models are.
    note_process = import_module("audit.actions.processes").note_process
    note_process(op, program, now=timezone.now())


worker_ready.connect(_note_start, weak=False)
worker_shutdown.connect(_note_stop, weak=False)
worker_ready.connect(_show_life, weak=False)
heartbeat_sent.connect(_show_life, weak=False)


@beat_init.connect
def _beat_shows_life(**_: Any) -> None:
    """Beat has no heartbeat; what it publishes is its pulse."""
    _show_life()
    before_task_publish.connect(_show_life, weak=False)

"""The sender's bootstep: Celery starts, stops and supervises the engine, whose thread owns every
SMPP session.
"""

import gc
import os
import socket
import sys
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from celery import bootsteps
from django.conf import settings

if TYPE_CHECKING:
    from smpp_client.engine.engine import Engine

QUEUE = "sender"
STILL_SECONDS = 15.0
# A thread that works in Python, on a claim or on outcomes, lets the engine's loop have its turn
# after so long: by default a full window would wait for it five milliseconds at a time.
SWITCH_SECONDS = 0.0005
ROUTES_SECONDS = 1.0
EXIT_ENGINE_DIED = 70

log = structlog.get_logger(__name__)


class SenderStep(bootsteps.StartStopStep):
    """Owns the engine's thread in the worker of the queue `sender`; other workers pass it by.

    It drains and unbinds in both `stop` and `terminate`: an idle worker that gets SIGTERM calls the
    latter.
    The process exits non-zero when the engine's thread dies or its loop stands still.
    """

    requires = ("celery.worker.components:Timer",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        self.is_enabled = False
        self.engine: Engine | None = None
        self.thread: threading.Thread | None = None
        self.is_stopping = False
        super().__init__(parent, **kwargs)

    def include_if(self, parent: Any) -> bool:
        """Only the worker that consumes the sender's queue gets the step."""
        return QUEUE in {str(name) for name in parent.app.amqp.queues.consume_from}

    def start(self, parent: Any) -> None:
        """Start the engine's thread and its watchdog."""
        # Celery reads this module before Django is set up; the product can only be imported now.
        from campaigns.actions.sending.guard import GuardedDesk
        from smpp_client.actions.alarms import CertificateAlarms
        from smpp_client.engine.engine import Engine
        from workspaces.actions.epoch_file import EpochFile

        engine = Engine(
            GuardedDesk(EpochFile(settings.EPOCH_FILE)),
            owner=f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}",
            lease_seconds=settings.LEASE_SECONDS,
            renew_seconds=settings.LEASE_RENEW_SECONDS,
            alarms=CertificateAlarms(),
        )
        self.engine = engine
        self.thread = threading.Thread(target=self._run, args=(engine,), name="engine", daemon=True)
        self.thread.start()
        threading.Thread(target=self._watch, args=(engine,), name="watchdog", daemon=True).start()
        threading.Thread(target=self._tend_routes, name="routes", daemon=True).start()

    def _run(self, engine: "Engine") -> None:
        # Segments come and go by the thousand and make no cycles: frequent collections would walk
        # over all of Django for nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            engine.run()
        except BaseException:
            log.exception("engine_died")
            os._exit(EXIT_ENGINE_DIED)
        if not self.is_stopping:
            log.error("engine_ended")
            os._exit(EXIT_ENGINE_DIED)

    def _watch(self, engine: "Engine") -> None:
        """Look at the loop from outside; after a freeze of the whole process it gets a second
        chance.
        """
        last = time.monotonic()
        while not self.is_stopping:
            time.sleep(1)
            now = time.monotonic()
            was_frozen = now - last > timedelta(seconds=5).total_seconds()
            last = now
            if not was_frozen and now - engine.alive_at > STILL_SECONDS:
                log.error("engine_stands_still")
                os._exit(EXIT_ENGINE_DIED)

    def _tend_routes(self) -> None:
        """Hold and release campaigns with their routes once a second; a sweep does it as well."""
        from django.db import Error, connection

        from campaigns.tasks.routes import sweep_routes

        while not self.is_stopping:
            time.sleep(ROUTES_SECONDS)
            try:
                sweep_routes()
            except Exception as error:
                # Whatever it is: without this thread only the sweep would watch the routes.
                is_known = isinstance(error, Error)
                log.warning("routes_not_watched", error=str(error), exc_info=not is_known)
                connection.close()

    def stop(self, parent: Any) -> None:
        """Drain, unbind, give the leases back."""
        self.is_stopping = True
        if self.engine is not None:
            self.engine.stop()
        if self.thread is not None:
            self.thread.join(timeout=28)

    def terminate(self, parent: Any) -> None:
        """The same: nothing here may be cut short."""
        self.stop(parent)

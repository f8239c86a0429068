"""The WSGI application that gunicorn serves."""

import atexit
import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "message_center.settings")
application = get_wsgi_application()
# Every page is loaded now; else the first caller of each worker would wait a second for it. The
# collector leaves it alone, so that the workers share its memory.
import_module(settings.ROOT_URLCONF)
gc.freeze()
_PROCESSES = import_module("audit.actions.processes")
_OURS = os.getpid()


def _note_stop() -> None:
    """The processes that this one forks end with it and say nothing."""
    if os.getpid() == _OURS:
        _PROCESSES.note_process(_PROCESSES.STOP, "web", now=timezone.now())


# Loaded once (--preload), before gunicorn forks.
_PROCESSES.note_process(_PROCESSES.START, "web", now=timezone.now())
atexit.register(_note_stop)

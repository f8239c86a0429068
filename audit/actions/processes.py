"""Say in the log that a program that may write fallback files begins or ends, and where they lie.

Files of a host that were withheld as a whole leave no other trace: these entries name the host and
its folder. A start that follows a start was a kill in between.
"""

import os
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, connections

from audit.actions.fallback import Fallback, fallback
from audit.actions.record import DENIED, record
from audit.queries.fallback import file_names, identity_of
from audit.queries.system import system_uuid
from audit.rules.events import Actor, Obj
from audit.rules.fallback import NotRecorded

START, STOP = "process.start", "process.stop"

log = structlog.get_logger("audit.processes")


def note_process(op: str, program: str, *, now: datetime) -> bool:
    """Record START or STOP of this process in the system chain, or in the fallback file while the
    database is away; say whether that was done.

    Nothing starts or stops worse for it: what cannot be recorded is in the process's log. Before
    the installation there is nothing to record in. Leaves no connection open, for those who fork.
    """
    folder = fallback()
    host = os.uname().nodename
    try:
        install = _installation(folder)
        if install is None:
            return False
        record(
            op,
            workspace=install,
            actor=Actor("system", program),
            obj=Obj("process", f"{program}@{host}/{os.getpid()}"),
            now=now,
            diff={
                "host": (None, host),
                "folder": (None, str(folder.path)),
                "files": (None, file_names(folder.path)),
            },
            using=DENIED,
        )
    except (DatabaseError, NotRecorded, OSError) as failure:
        log.warning("audit_process_not_recorded", op=op, program=program, why=str(failure))
        return False
    finally:
        connections["default"].close()
        connections[DENIED].close()
    return True


def _installation(folder: Fallback) -> UUID | None:
    """Return the installation as the database says, or as this machine remembers it."""
    try:
        return system_uuid()
    except LookupError:
        return None
    except DatabaseError:
        identity = identity_of(folder.path)
        return identity.install if identity else None

"""Reads the audit log as a test sees it: what was recorded, in order."""

import json
from typing import Any
from uuid import UUID

from django.db import connection

from workspaces.models import Workspace
from workspaces.queries.access import installation_uuid


def entries(where: Workspace | None = None) -> list[dict[str, Any]]:
    """The events of a workspace's chain, or of the system's, oldest first."""
    chain: UUID = where.uuid if where is not None else installation_uuid()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.workspace_uuid', true)")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('app.workspace_uuid', %s, false)", [str(chain)])
        cursor.execute("SELECT body FROM audit_event WHERE ws = %s ORDER BY id", [chain])
        found = [json.loads(body) for (body,) in cursor.fetchall()]
        cursor.execute("SELECT set_config('app.workspace_uuid', %s, false)", [before or ""])
    return found


def ops(where: Workspace | None = None) -> list[tuple[str, str, dict[str, Any]]]:
    """The same as (operation, object, diff)."""
    return [(entry["op"], entry["obj"]["id"], entry.get("diff", {})) for entry in entries(where)]

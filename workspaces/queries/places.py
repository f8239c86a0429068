"""Workspaces as the audit log needs them: their names, and their scope while it is told of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from audit.queries.places import Place, register
from workspaces.models import Workspace
from workspaces.scope import scope


def register_places() -> None:
    """Lend workspaces to the audit log; called once, when the app is ready."""
    register(_open, _find)


@contextmanager
def _open(uuid: UUID) -> Iterator[Place | None]:
    """Open a workspace's scope; the installation's own chain needs none."""
    workspace = Workspace.objects.filter(uuid=uuid).first()
    if workspace is None:
        yield None
        return
    with scope(workspace):
        yield Place(uuid, workspace.slug, workspace.name, workspace.zone)


def _find(slug: str) -> UUID | None:
    return Workspace.objects.filter(slug=slug).values_list("uuid", flat=True).first()

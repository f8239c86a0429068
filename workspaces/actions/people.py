"""What an account remembers about itself."""

from workspaces.models import User, Workspace


def remember_workspace(user: User, workspace: Workspace) -> None:
    """Remember where a person was last, so that signing in leads back there."""
    if user.last_workspace_id != workspace.pk:
        User.objects.filter(pk=user.pk).update(last_workspace=workspace)

"""Django's registration of the app."""

from django.apps import AppConfig
from django.core.checks import register


class WorkspacesConfig(AppConfig):
    """The workspaces app."""

    name = "workspaces"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the gate's check, and lend to the audit log what it names.

        Models can be imported only now. A check that the addresses bring along while the checks run
        would come too late to be asked.
        """
        from workspaces.gate.permission import check_permissions
        from workspaces.queries.names import register_names
        from workspaces.queries.places import register_places

        register(check_permissions)
        register_names()
        register_places()

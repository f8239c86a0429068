"""Django's registration of the app."""

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    """The workspaces app."""

    name = "workspaces"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Lend to the audit log what it names. Models can be imported only now."""
        from workspaces.queries.names import register_names
        from workspaces.queries.places import register_places

        register_names()
        register_places()

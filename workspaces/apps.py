"""Django's registration of the app."""

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    """The workspaces app."""

    name = "workspaces"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Lend our names to the audit log. Models can be imported only now."""
        from workspaces.queries.names import register_names

        register_names()

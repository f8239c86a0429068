"""Django's registration of the app."""

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    """The workspaces app."""

    name = "workspaces"
    default_auto_field = "django.db.models.BigAutoField"

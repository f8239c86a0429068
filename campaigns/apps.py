"""Django's registration of the app."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """The campaigns app."""

    name = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Lend to the audit log what it names. Models can be imported only now."""
        from campaigns.queries.names import register_names
        from campaigns.queries.subjects import register_subjects

        register_names()
        register_subjects()

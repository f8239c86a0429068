"""Django's registration of the app."""

from django.apps import AppConfig


class SmppClientConfig(AppConfig):
    """The smpp_client app."""

    name = "smpp_client"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Lend our names to the audit log. Models can be imported only now."""
        from smpp_client.queries.names import register_names

        register_names()

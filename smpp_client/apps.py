"""Django's registration of the app."""

from django.apps import AppConfig


class SmppClientConfig(AppConfig):
    """The smpp_client app."""

    name = "smpp_client"
    default_auto_field = "django.db.models.BigAutoField"

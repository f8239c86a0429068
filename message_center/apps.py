"""Django's registration of the app."""

from django.apps import AppConfig


class MessageCenterConfig(AppConfig):
    """The message_center app."""

    name = "message_center"
    default_auto_field = "django.db.models.BigAutoField"

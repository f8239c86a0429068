"""Django's registration of the app, and what it refuses to go live with."""

import gc
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

MAIL = "mail"
CONSOLE = "django.core.mail.backends.console.EmailBackend"


class MessageCenterConfig(AppConfig):
    """The message_center app."""

    name = "message_center"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Collect garbage from here on, but not among what is loaded (`message_center`)."""
        gc.freeze()
        gc.enable()


@register(MAIL)
def check_mail(**_: Any) -> list[CheckMessage]:
    """Refuse mails that go to the log: an invitation's or a password's link would lie in it."""
    if settings.DEBUG or settings.EMAIL_BACKEND != CONSOLE:
        return []
    return [
        Error(
            "EMAIL_BACKEND writes mails to the log, and with them the links that open accounts.",
            hint="Leave it out and set EMAIL_HOST; only with DEBUG on may mails go to the log.",
            id="mail.E001",
        )
    ]

"""E-mails: plain text, in words, with one link at most."""

from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from workspaces.models import Invitation, User
from workspaces.rules.refusal import Refusal


class MailNotSent(Refusal):
    """The mail server did not take an e-mail."""

    code = "mail_not_sent"


def mail_invitation(invitation: Invitation, token: str) -> None:
    """Send an invitation with its link; raises MailNotSent."""
    link = _public(reverse("workspaces:open_invitation", kwargs={"token": token}))
    _send("mail/invitation.txt", invitation.email, link, {"invitation": invitation})


def password_link(user: User) -> str:
    """Return a link to set a password, good for an hour and for one use."""
    token = default_token_generator.make_token(user)
    where = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": token}
    return _public(reverse("workspaces:reset", kwargs=where))


def mail_password_link(user: User, *, is_welcome: bool = False) -> None:
    """Send a link to set a password; raises MailNotSent."""
    template = "mail/welcome.txt" if is_welcome else "mail/password_link.txt"
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    _send(template, user.email, password_link(user), {"user": user, "minutes": minutes})


def _public(path: str) -> str:
    """Links begin with PUBLIC_URL, never with what a request says its host is."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def _send(template: str, to: str, link: str, context: dict[str, Any]) -> None:
    """Render and send. The first line of a template is the subject."""
    shared = {"operator": settings.OPERATOR_NAME, "link": link}
    text = render_to_string(template, {**shared, **context})
    subject, _newline, body = text.partition("\n")
    try:
        EmailMessage(subject=subject.strip(), body=body.lstrip(), to=[to]).send()
    except (OSError, SMTPException) as error:
        raise MailNotSent(
            _("The mail server did not take the e-mail. Send it again in a few minutes.")
        ) from error

"""Links to set a password."""

from celery import shared_task
from django.utils import timezone

from workspaces.actions.mail import mail_password_link
from workspaces.actions.passwords import take_link_turn
from workspaces.queries.accounts import may_be_used
from workspaces.queries.platform import user_by_id


@shared_task(name="workspaces.send_password_link")
def send_password_link(user_id: int) -> None:
    """E-mail a link to an account, if there is one that may have it.

    Done here and not in the request, so that the answer takes as long for an address that nobody
    has (0). A lost task costs nothing: the person asks again.
    """
    user = user_by_id(user_id)
    if user is not None and may_be_used(user) and take_link_turn(user.pk, timezone.now()):
        mail_password_link(user)

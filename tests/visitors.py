"""People in a Chromium."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from tests.make import sign_in as sign_in_client
from workspaces.models import User


def sign_in(page: Page, url: str, who: User, *, minutes_ago: float = 0) -> None:
    """Give the browser a session of this account at the site with this address, and no other."""
    client = Client()
    sign_in_client(client, who, started_at=timezone.now() - timedelta(minutes=minutes_ago))
    key = client.session.session_key or ""
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "mc_session", "value": key, "url": url}])

"""People in a Chromium, and people who post the pages' forms without one."""

import json
import re
from datetime import timedelta
from http.cookiejar import CookieJar
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from tests.make import sign_in as sign_in_client
from tests.processes import Handle
from workspaces.models import User

PATIENCE = 30


def sign_in(page: Page, url: str, who: User, *, minutes_ago: float = 0) -> None:
    """Give the browser a session of this account at the site with this address, and no other."""
    client = Client()
    sign_in_client(client, who, started_at=timezone.now() - timedelta(minutes=minutes_ago))
    key = client.session.session_key or ""
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "mc_session", "value": key, "url": url}])


class Answer(NamedTuple):
    """What came back at the end of all redirects: where one is now, and the body."""

    url: str
    text: str

    def field(self, name: str) -> str:
        """Return the value of the first hidden field of this name."""
        found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', self.text)
        assert found, f"no field {name} at {self.url}"
        return found[1]


class Visitor:
    """A member of make's who has signed in at the running web process by its form.

    An answer of 400 or more raises urllib's HTTPError.
    """

    def __init__(self, web: Handle, who: User) -> None:
        self._web = web
        self._cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._cookies))
        self.get("/sign-in/")
        self.post("/sign-in/", email=who.email, password="correct horse battery")

    def get(self, path: str) -> Answer:
        """Fetch a page."""
        return self._open("GET", path)

    def post(self, path: str, **fields: Any) -> Answer:
        """Post a form, with the token that keeps other sites from doing so."""
        fields["csrfmiddlewaretoken"] = self._token
        return self._open("POST", path, urlencode(fields).encode())

    def put(self, path: str, data: bytes, *, offset: int) -> dict[str, Any]:
        """Send a piece of a file as the script does, and return what it is told."""
        told: dict[str, Any] = json.loads(self._open("PUT", path, data, self.piece(offset)).text)
        return told

    def piece(self, offset: int) -> dict[str, str]:
        """Return the headers of a piece of a file, with those that say who sends it."""
        return {
            "Content-Type": "application/octet-stream",
            "Upload-Offset": str(offset),
            "X-CSRFToken": self._token,
            "Cookie": "; ".join(f"{one.name}={one.value}" for one in self._cookies),
        }

    @property
    def _token(self) -> str:
        return next(one.value or "" for one in self._cookies if one.name == "csrftoken")

    def _open(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        request = Request(self._web.url + path, data, headers or {}, method=method)  # noqa: S310
        with self._opener.open(request, timeout=PATIENCE) as answer:
            return Answer(answer.url, answer.read().decode())

"""The browser fixture: it sees what a page does wrong."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browsing import Faults

pytestmark = pytest.mark.browser


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Security-Policy", "script-src 'self'; img-src data:")
        self.end_headers()
        body = "<script>document.title = 'inline'</script>" if self.path == "/inline" else ""
        self.wfile.write(f"<link rel=icon href='data:,'><title>plain</title>{body}".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_clean_page_has_no_faults(page: Page, faults: Faults, site: str) -> None:
    page.goto(site)
    assert page.title() == "plain"
    assert faults.seen == []


def test_a_script_inside_the_page_is_a_fault(page: Page, faults: Faults, site: str) -> None:
    page.goto(f"{site}/inline")
    assert page.title() == "plain"
    faults.expect("policy: script-src")
    faults.expect("Content Security Policy")


def test_an_uncaught_exception_is_a_fault(page: Page, faults: Faults, site: str) -> None:
    page.goto(site)
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('broken') }, 0)")
    faults.expect("broken")

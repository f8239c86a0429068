"""A Chromium for tests, and what a page may not do in it."""

import os
import shutil
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
TELL_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`policy: ${event.violatedDirective} blocked ${event.blockedURI || 'inline'}`);
});
"""
# What htmx says when a newer request takes the place of one under way, as our pages ask it to.
# A request that fails says something else besides.
SUPERSEDED = ("htmx:afterRequest", "htmx:sendAbort")


def find_chromium() -> str | None:
    """Return the browser that CHROMIUM names, or the first known one on the PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser without anything that talks to the outside."""
    arguments = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return playwright.chromium.launch(executable_path=find_chromium(), args=arguments)


@dataclass
class Faults:
    """What went wrong on a page. A test that expects a fault takes it out with `expect`."""

    seen: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect console errors, uncaught exceptions and policy violations of a page."""
        page.add_init_script(TELL_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", self._error)

    def expect(self, words: str) -> None:
        """Take out the faults with these words; fail when there is none."""
        rest = [fault for fault in self.seen if words not in fault]
        assert len(rest) < len(self.seen), f"no fault says {words!r}: {self.seen}"
        self.seen = rest

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(SUPERSEDED):
            self.seen.append(f"{message.text} ({message.location.get('url', '')})")

    def _error(self, error: Error) -> None:
        self.seen.append(f"uncaught: {error}")

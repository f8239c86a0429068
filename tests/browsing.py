"""A Chromium for tests, and what a page may not do in it."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    ViewportSize,
)

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
# Of two lists the last one counts: Playwright's stands here too, as far as it is about pages.
# The first ones draw the address bar's suggestions with pages of their own, in every window.
WITHOUT = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
)
TELL_VIOLATIONS = """
if (!window.tellsViolations) {
  window.tellsViolations = true;
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`policy: ${event.violatedDirective} blocked ${event.blockedURI || 'inline'}`);
  });
}
"""
# What htmx says when a newer request takes the place of one under way, as our pages ask it to.
# A request that fails says something else besides.
SUPERSEDED = ("htmx:afterRequest", "htmx:sendAbort")
# A laptop by day and a phone by night: width, height, colours.
Colours = Literal["dark", "light"]
SCREENS: tuple[tuple[int, int, Colours], ...] = ((1440, 900, "light"), (390, 844, "dark"))
NEW_SIZE: ViewportSize = {"width": 1280, "height": 720}
# WCAG 2.2, A and AA.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# It reads the stylesheets, which all pages share: once, on the page of all parts, is enough.
OF_STYLESHEETS = ("css-orientation-lock",)
# A new size or theme is drawn in the second frame after it. Of each kind that is not asked for, axe
# describes one element only, which is most of its work.
JUDGE = """
async ([tags, kinds, without]) => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  const found = await axe.run({ runOnly: tags, rules, resultTypes: kinds });
  const told = (kind, rule, node) => ({
    kind,
    rule: rule.id,
    html: node.html.slice(0, 160),
    why: JSON.stringify([node.any, node.all, node.none]),
  });
  return kinds.flatMap((kind) =>
    found[kind].flatMap((rule) => rule.nodes.map((node) => told(kind, rule, node))));
}
"""


def find_chromium() -> str | None:
    """Return the browser that CHROMIUM names, or the first known one on the PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser without anything that talks to the outside."""
    arguments = [*QUIET, f"--disable-features={','.join(WITHOUT)}"]
    arguments += ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=find_chromium(), args=arguments)


@dataclass(frozen=True)
class Parked:
    """A browser between the files that drive it.

    Playwright's loop counts as running from its first call to its last, and for as long no other
    one can run in the thread. To start browser and driver anew for each file costs more CPU than
    many a file's tests; taken out of sight, the loop is in nobody's way.
    """

    browser: Browser
    loop: asyncio.AbstractEventLoop

    def take(self) -> Browser:
        """Let its loop be the one that runs."""
        asyncio._set_running_loop(self.loop)
        return self.browser

    def leave(self) -> None:
        """Let others run; no call to the browser until it is taken again."""
        asyncio._set_running_loop(None)


@dataclass
class Faults:
    """What went wrong on a page. A test that expects a fault takes it out with `expect`."""

    seen: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect console errors, uncaught exceptions and policy violations of a page."""
        page.add_init_script(TELL_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", self._error)

    def leave(self, page: Page) -> None:
        """Collect nothing more of it."""
        page.remove_listener("console", self._console)
        page.remove_listener("pageerror", self._error)

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


def clear(page: Page) -> None:
    """Make a used page like a new one.

    It goes to an empty one of the same site, for which nobody is asked: the process stays that has
    compiled its scripts and styles. A new page starts one, which is most of a short test.
    """
    with suppress(Error):  # a page that was never opened has nothing to leave
        page.evaluate("sessionStorage.clear()")
        page.goto(page.evaluate("URL.createObjectURL(new Blob(['']))"))
    page.set_viewport_size(NEW_SIZE)
    page.emulate_media(color_scheme="null", reduced_motion="null")
    page.context.clear_cookies()
    page.context.clear_permissions()


def judge(page: Page, *kinds: str, without: Sequence[str] = ()) -> list[dict[str, str]]:
    """Return what axe finds on the page as it is drawn: kind, rule, html and why of each place.

    Kinds are "violations" (alone, unless others are named) and "incomplete"; `without` names rules
    that are left out.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, str]] = page.evaluate(JUDGE, [RULES, kinds or ("violations",), without])
    return found


def looks_right(page: Page) -> list[str]:
    """Return what is wrong with the page as it is drawn: too wide, or against WCAG 2.2 A and AA."""
    wrong = [
        f"{page.url}: {one['rule']}: {one['html']}" for one in judge(page, without=OF_STYLESHEETS)
    ]
    width, drawn = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
    return [*wrong, *([f"{page.url}: {drawn} px wide on {width}"] if drawn > width else [])]


def looks_right_everywhere(page: Page) -> list[str]:
    """Return what is wrong with the page on each of the screens; it is loaded only once.

    It begins with the screen that the last page ended with, which spares drawing it once more.
    PICTURES in the environment names a folder that gets a picture of each.
    """
    wrong: list[str] = []
    size = page.viewport_size or {"width": 0}
    for width, height, colours in sorted(SCREENS, key=lambda one: one[0] != size["width"]):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        wrong += [f"{fault} ({width} px, {colours})" for fault in looks_right(page)]
        if folder := os.environ.get("PICTURES"):
            name = "-".join(filter(None, page.url.replace("?", "/").split("/")[3:]))
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    return wrong

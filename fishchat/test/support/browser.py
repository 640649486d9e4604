"""A real browser for the tests of the pages: which one, how it is installed, and a test case that has one.

As a program, this installs a browser where there is none, or says what to install.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from fishchat.test.support.pages import Up

#: The variable that names a browser, and the programs that are looked for, the smallest first.
VARIABLE = "FISHCHAT_BROWSER"
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
#: Debian's packages: a browser, and fonts for the texts in the tests.
PACKAGES = ("chromium-headless-shell", "fonts-noto-cjk", "fonts-noto-color-emoji")
FLAGS = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")
#: Milliseconds that a condition on a page may take.
PATIENCE = 15_000


def find() -> str | None:
    """Return the program of a browser; None if there is none."""
    named = os.environ.get(VARIABLE)
    return named or next(filter(None, map(shutil.which, PROGRAMS)), None)


def install() -> str | None:
    """Install a browser if there is none and this may be done here. Return what to do otherwise."""
    if find() is not None:
        return None
    packages = " ".join(PACKAGES)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with suppress(subprocess.CalledProcessError):
            for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
                subprocess.run(["apt-get", "-qq", *command], check=True, stdout=subprocess.DEVNULL)
            return None
    return f"the pages are tested in a browser: install one (apt install {packages}), or name one in {VARIABLE}"


@lru_cache(maxsize=1)
def _browser() -> Any:
    # Imported here: only these tests need it.
    from playwright.sync_api import sync_playwright

    program = find()
    assert program is not None, install()
    playwright = sync_playwright().start()
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *root])
    atexit.register(playwright.stop)
    atexit.register(browser.close)
    return browser


class BrowserCase(SynchronousTestCase):
    """Tests with one server and one browser for the class, and fresh profiles for each test.

    At the end of each test, no page may have broken, asked another origin, or violated its security policy.

    :cvar settings: of the server, as dotted keys.
    """

    settings: ClassVar[dict[str, Any]] = {}
    up: ClassVar[Up]

    @classmethod
    def _begin(cls) -> None:
        """Start the server of the class and the browser, which the classes of this process share."""
        if cls._begun is not cls:
            cls.up = Up(cls.settings, processes=cls.processes)
            cls._begun = cls
        cls.browser = _browser()

    #: The class that has started its server: trial has no fixtures of classes.
    _begun: ClassVar[type | None] = None
    #: Whether each role is a process of its own, with two msg_servers.
    processes: ClassVar[bool] = False
    browser: ClassVar[Any]

    def setUp(self) -> None:
        self._begin()
        self.faults: list[str] = []
        self.contexts: list[Any] = []

    def tearDown(self) -> None:
        for context in self.contexts:
            context.close()
        self.assertEqual(self.faults, [])

    def context(self, **options: Any) -> Any:
        """Return a new profile; texts are in English unless said otherwise."""
        made = self.browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 800}, **options})
        made.set_default_timeout(PATIENCE)
        self.contexts.append(made)
        return made

    def open(self, context: Any = None, path: str = "") -> Any:
        """Return a page that shows FishChat."""
        page = (self.context() if context is None else context).new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{error.message} {error.stack}"))
        page.on("console", self._heard)
        page.on("request", self._asked)
        page.goto(self.up.address + path)
        return page

    def _heard(self, message: Any) -> None:
        # A connection that is refused while the server is away is no fault of the page.
        if "Content Security Policy" in message.text or "TrustedHTML" in message.text:
            self.faults.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.up.address, self.up.address.replace("http", "ws"), "data:", "blob:")):
            self.faults.append(f"asked for {request.url}")

    def enter(self, name: str, context: Any = None, **options: Any) -> Any:
        """Return a page on which an account is logged in."""
        page = self.open(self.context(**options) if context is None else context)
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Enter").click()
        page.get_by_role("button", name="New conversation").wait_for()
        self.until(page, "() => document.querySelector('[role=status]')?.textContent === 'Connected'")
        return page

    def start(self, page: Any, whom: str) -> None:
        """Begin a conversation on a page."""
        page.get_by_role("button", name="New conversation").click()
        page.get_by_role("textbox", name="Account or #topic").fill(whom)
        page.get_by_role("button", name="Start").click()
        page.get_by_role("region", name=whom.removeprefix("#"), exact=True).get_by_role(
            "textbox", name="Message"
        ).wait_for()

    def say(self, page: Any, text: str) -> None:
        """Write a message on a page and send it."""
        page.get_by_role("textbox", name="Message").fill(text)
        page.get_by_role("button", name="Send", exact=True).click()

    def texts(self, page: Any) -> list[str]:
        """Return the texts of all messages on a page, in their order."""
        found: list[str] = page.locator("article .letter > .text").all_inner_texts()
        return found

    def until(self, page: Any, condition: str, argument: Any = None) -> None:
        """Return when an expression of the page is true."""
        page.wait_for_function(condition, arg=argument)

    def sees(self, page: Any, text: str) -> Any:
        """Return the message with this text, when it is on the page."""
        found = page.locator("article", has=page.locator(".letter > .text", has_text=text)).last
        found.wait_for()
        return found

    @contextmanager
    def shown_on_failure(self, page: Any) -> Iterator[None]:
        """Leave a picture of the page if something fails."""
        try:
            yield
        except BaseException:
            with suppress(Exception):
                page.screenshot(path=str(Path.cwd() / f"{self.id()}.png"))
            raise


if __name__ == "__main__":
    if (advice := install()) is not None:
        sys.exit(advice)

"""Lost connections, several tabs, new builds, and browsers without storage."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Any
from urllib.parse import quote

from fishchat.services.redis.program import running_process
from fishchat.test.support.browser import BrowserCase
from fishchat.test.support.line_client import LineClient


class Connection(BrowserCase):
    """What is written stands once, in order, whatever happens to the connection."""

    def test_offline(self) -> None:
        """Offline, a message waits at once; back, all are sent in order without a press."""
        page = self.enter("off1")
        self.start(page, "off1")
        page.context.set_offline(True)
        self.up.kill()
        page.get_by_text("What you write is kept").wait_for()
        self.assertEqual(page.locator("[role=status]").first.text_content(), "Offline")
        for number in range(5):
            self.say(page, f"letter {number}")
        page.get_by_role("article", name="waiting").nth(4).wait_for()
        self.up.start()
        page.context.set_offline(False)
        self.until(page, "() => document.querySelectorAll('article[aria-label*=\"stored\"]').length === 5")
        self.assertEqual(self.texts(page), [f"letter {number}" for number in range(5)])

    def test_reload_offline(self) -> None:
        """The page opens without a server, with what it holds and what waits; both survive a killed browser tab."""
        page = self.enter("off2")
        self.start(page, "off2")
        self.say(page, "kept")
        self.sees(page, "kept")
        self.until(page, "() => navigator.serviceWorker.ready.then((it) => it.active?.state === 'activated')")
        self.up.kill()
        self.say(page, "waits")
        page.get_by_role("article", name="waiting").wait_for()
        page.close()
        again = self.open(page.context, "c/off2%2Boff2")
        self.sees(again, "kept")
        again.get_by_role("article", name="waiting").wait_for()
        self.up.start()
        self.until(again, "() => document.querySelectorAll('article[aria-label*=\"stored\"]').length === 2")
        self.assertEqual(self.texts(again), ["kept", "waits"])

    def test_tabs(self) -> None:
        """Three tabs show the same; the second one leads after the first is closed, and loses nothing."""
        first = self.enter("tabs1")
        self.start(first, "tabs1")
        tabs = [first, *(self.open(first.context, "c/tabs1%2Btabs1") for _ in range(2))]
        for number, tab in enumerate(tabs):
            self.say(tab, f"from {number}")
            for each in tabs:
                self.sees(each, f"from {number}")
        first.close()
        self.say(tabs[1], "after")
        for tab in tabs[1:]:
            self.until(tab, "() => document.querySelectorAll('article[aria-label*=\"stored\"]').length === 4")
            self.assertEqual(self.texts(tab), ["from 0", "from 1", "from 2", "after"])

    def test_one_notification(self) -> None:
        """Three tabs, one message: one notification."""
        context = self.context(permissions=["notifications"])
        context.add_init_script(
            """window.shown = []; window.Notification = class { static permission = 'granted';
            constructor(title) { window.shown.push(title) } close() {} }"""
        )
        LineClient(self.up.lines, "note2").close()
        page = self.enter("note1", context)
        tabs = [page, self.open(context), self.open(context)]
        for tab in tabs[1:]:
            tab.get_by_role("button", name="New conversation").wait_for()
        other = LineClient(self.up.lines, "note2")
        other.ask("MSG note1 hello")
        other.close()
        for tab in tabs:
            tab.get_by_role("link", name="note2, 1 unread").wait_for()
        self.until(page, "() => window.shown.length > 0")
        self.assertEqual(sum(tab.evaluate("window.shown.length") for tab in tabs), 1)

    def test_replaced_build(self) -> None:
        """A part of an older build that is gone is a 404, and the page reloads once and keeps the draft."""
        page = self.enter("build")
        self.start(page, "build")
        page.get_by_role("textbox", name="Message").fill("half")
        self.until(page, "() => document.querySelector('.talks .draft') !== null")
        page.route("**/assets/settings-*.js", lambda route: route.fulfill(status=404, body="gone"))
        page.context.route("**/sw.js", lambda route: route.abort())
        with page.expect_navigation():
            page.get_by_role("button", name="Settings").first.click()
        page.goto(self.up.address + "c/build%2Bbuild")
        self.until(page, "() => document.querySelector('textarea')?.value === 'half'")

    def test_no_storage(self) -> None:
        """Without storage the page works from memory, and says so."""
        context = self.context()
        context.add_init_script("indexedDB.open = () => { throw new DOMException('no', 'SecurityError') }")
        page = self.enter("nostore", context)
        self.start(page, "nostore")
        page.get_by_text("keeps nothing").first.wait_for()
        self.say(page, "from memory")
        self.sees(page, "from memory")

    def test_revoked(self) -> None:
        """A device that is revoked elsewhere is told so, and sends nothing more."""
        page = self.enter("gone1")
        device = page.evaluate(
            """() => new Promise((done) => { const asked = indexedDB.open('fishchat');
            asked.onsuccess = () => { const got = asked.result.transaction('values').objectStore('values').get('who');
            got.onsuccess = () => done(got.result.device) } })"""
        )
        other = LineClient(self.up.lines, "gone1")
        other.ask(f"REVOKE {device}")
        other.close()
        self.start_anywhere(page)
        page.get_by_role("alert").get_by_text("This device was logged out").wait_for()

    def start_anywhere(self, page: Any) -> None:
        """Show a place where the state of the connection is shown."""
        page.locator(".room").first.wait_for()


class Processes(BrowserCase):
    """Two msg_servers in processes of their own."""

    processes = True

    def test_killed(self) -> None:
        """A msg_server is killed at twelve moments of a send: each text stands once, in order, on both sides."""
        one, two = self.enter("kill1"), self.enter("kill2")
        self.start(one, "kill2")
        self.say(one, "begin")
        two.get_by_role("link", name="kill1").click()
        self.sees(two, "begin")
        expected = ["begin"]
        for moment in range(12):
            text = f"moment {moment}"
            expected.append(text)
            victim = self.up.pid(f"ms{moment % 2 + 1}")
            self.say(one, text)
            one.wait_for_timeout(moment * 7)
            os.kill(victim, signal.SIGKILL)
            self.sees(two, text)
        self.until(one, "(n) => document.querySelectorAll('article:not([aria-label*=\"waiting\"])').length === n", 13)
        self.assertEqual(self.texts(one), expected)
        self.assertEqual(self.texts(two), expected)

    def test_killed_page(self) -> None:
        """A page crashes at ten moments of a send; the next one sends what it has kept, once."""
        one, two = self.enter("crash1"), self.enter("crash2")
        self.start(one, "crash2")
        self.say(one, "begin")
        two.get_by_role("link", name="crash1").click()
        self.sees(two, "begin")
        shown = ["begin"]
        for moment in range(10):
            text = f"moment {moment}"
            self.say(one, text)
            # It waits in the conversation, so it is kept.
            self.sees(one, text)
            shown.append(text)
            one.wait_for_timeout(moment * 4)
            with contextlib.suppress(Exception):
                one.goto("chrome://crash", wait_until="commit", timeout=1000)
            page = self.open(one.context, f"c/{quote('crash1+crash2')}")
            one.close()
            one = page
            self.sees(one, text)
            self.sees(two, text)
        self.until(one, "(n) => document.querySelectorAll('article:not([aria-label*=\"waiting\"])').length === n", 11)
        self.assertEqual(self.texts(one), shown)
        self.assertEqual(self.texts(two), shown)

    def test_killed_redis(self) -> None:
        """Redis is killed at six moments of a send: each text stands once, in order, on both sides."""
        one, two = self.enter("redis1"), self.enter("redis2")
        self.start(one, "redis2")
        self.say(one, "begin")
        two.get_by_role("link", name="redis1").click()
        self.sees(two, "begin")
        shown = ["begin"]
        for moment in range(6):
            text = f"moment {moment}"
            shown.append(text)
            victim = self._redis()
            self.say(one, text)
            one.wait_for_timeout(moment * 7)
            os.kill(victim, signal.SIGKILL)
            self.sees(two, text)
        self.until(one, "(n) => document.querySelectorAll('article:not([aria-label*=\"waiting\"])').length === n", 7)
        self.assertEqual(self.texts(one), shown)
        self.assertEqual(self.texts(two), shown)

    def _redis(self) -> int:
        """Return the process of Redis, which is started again after each death."""
        deadline = time.monotonic() + 20
        while not (process := running_process(self.up.data)):
            self.assertLess(time.monotonic(), deadline, "Redis was not started again")
            time.sleep(0.05)
        return process

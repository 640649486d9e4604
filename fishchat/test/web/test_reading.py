"""Reading in the pages: long conversations, marks of what was read, and what stays where it is."""

from __future__ import annotations

from typing import Any

from fishchat.test.support.browser import BrowserCase
from fishchat.test.support.line_client import LineClient

#: The number of elements of messages on the page.
ROWS = "document.querySelectorAll('[data-seq]').length"
#: Where the message with a text is on the screen.
TOP = """(text) => [...document.querySelectorAll('article')].find((one) => one.textContent.includes(text))
.getBoundingClientRect().top"""


class Long(BrowserCase):
    """A topic with thousands of messages."""

    def _fill(self, topic: str, reader: str, count: int) -> Any:
        """Return a page that is logged in; a topic that it is in has this many messages, all read."""
        page = self.enter(reader)
        self.start(page, f"#{topic}")
        other = LineClient(self.up.lines, f"{reader}.x")
        other.ask(f"JOIN {topic}")
        other.ask_all(f"SAY {topic} letter {n}. {'It is a long one. ' * (n % 7)}" for n in range(count))
        self.sees(page, f"letter {count - 1}.")
        return page, other

    def test_pages_above(self) -> None:
        """While pages are put above, what is read stays where it is; the page stays small."""
        page, other = self._fill("above", "above", 1500)
        other.close()
        log = page.locator(".log")
        for _ in range(20):
            before = page.evaluate("document.querySelector('[data-seq]').dataset.seq")
            log.evaluate("(log) => { log.scrollTop = 300 }")
            text = page.evaluate(
                """() => { const log = document.querySelector('.log').getBoundingClientRect().top
                const one = [...document.querySelectorAll('article')].find((it) => it.getBoundingClientRect().top > log)
                window.was = one.getBoundingClientRect().top; return /letter \\d+\\./.exec(one.textContent)[0] }"""
            )
            self.until(page, "(was) => document.querySelector('[data-seq]').dataset.seq !== was", before)
            self.assertLess(abs(page.evaluate(TOP, text) - page.evaluate("window.was")), 2)
            self.assertLessEqual(page.evaluate(ROWS), 200)
        page.get_by_role("button", name="To the newest message").click()
        self.sees(page, "letter 1499.")

    def test_first_unread(self) -> None:
        """With 3,000 unread messages, the room opens at the first one at once, with the line above it."""
        page, other = self._fill("unread", "unread", 5)
        self.until(page, "() => !document.querySelector('.talk[data-unread]')")
        self.start(page, "unread")
        other.ask_all(f"SAY unread news {n}" for n in range(3000))
        page.get_by_role("link", name="unread, 3000 unread").wait_for()
        took = page.evaluate(
            """() => new Promise((done) => { const began = performance.now()
            document.querySelector('a.talk[href*="23unread"]').click()
            const look = () => document.querySelector('.new')
              ? done(performance.now() - began) : requestAnimationFrame(look)
            look() })"""
        )
        self.assertLess(took, 1500)
        line = page.get_by_role("separator").bounding_box()
        first = self.sees(page, "news 0").bounding_box()
        log = page.locator(".log").bounding_box()
        self.assertTrue(log["y"] <= line["y"] < first["y"] < log["y"] + log["height"])
        page.get_by_role("button", name="To the newest message").click()
        self.sees(page, "news 2999")
        other.close()

    def test_flood(self) -> None:
        """6,000 messages that are pushed leave at most 200 rows, and a bounded heap."""
        page, other = self._fill("flood", "flood", 300)
        wire = page.context.new_cdp_session(page)

        def heap() -> float:
            wire.send("HeapProfiler.collectGarbage")
            used: float = wire.send("Runtime.getHeapUsage")["usedSize"]
            return used / 1e6

        before = heap()
        other.ask_all(f"SAY flood wave {n}" for n in range(6000))
        self.sees(page, "wave 5999")
        self.assertLessEqual(page.evaluate(ROWS), 200)
        self.assertLess(heap() - before, 20)
        other.close()

    def test_scrolled_up(self) -> None:
        """Messages that arrive do not move a view that is scrolled up; a button says how many there are."""
        page, other = self._fill("scrolled", "scrolled", 120)
        page.locator(".log").evaluate("(log) => { log.scrollTop = 2000 }")
        page.get_by_role("button", name="To the newest message").wait_for(state="hidden")
        top = page.evaluate("document.querySelector('.log').scrollTop")
        other.ask_all(f"SAY scrolled more {n}" for n in range(3))
        page.get_by_role("button", name="3 new messages").wait_for()
        self.assertEqual(page.evaluate("document.querySelector('.log').scrollTop"), top)
        page.get_by_role("button", name="3 new messages").click()
        self.sees(page, "more 2")
        other.close()


class Marks(BrowserCase):
    """Reading is looking for a second, with the focus; and it counts on all devices."""

    def test_two_devices(self) -> None:
        """What one device has read is not unread on the other."""
        one, two = self.enter("marks"), self.enter("marks")
        other = LineClient(self.up.lines, "marks.x")
        other.ask_all(f"MSG marks letter {n}" for n in range(3))
        for page in (one, two):
            page.get_by_role("link", name="marks.x, 3 unread").wait_for()
        one.get_by_role("link", name="marks.x").click()
        self.until(two, "() => !document.querySelector('.talk[data-unread]')")
        self.until(one, "() => !document.querySelector('.talk[data-unread]')")
        other.close()

    def test_without_focus(self) -> None:
        """A room that is open in a window without focus, and one that is only scrolled, reads nothing."""
        page = self.enter("blind")
        other = LineClient(self.up.lines, "blind.x")
        page.evaluate("Document.prototype.hasFocus = () => false")
        other.ask_all(f"MSG blind letter {n}" for n in range(40))
        page.get_by_role("link", name="blind.x, 40 unread").click()
        self.sees(page, "letter 39")
        page.locator(".log").evaluate("(log) => { log.scrollTop = log.scrollHeight }")
        page.wait_for_timeout(2500)  # longer than it takes to read
        self.assertEqual(page.get_by_role("link", name="blind.x, 40 unread").count(), 1)
        page.evaluate("delete Document.prototype.hasFocus; Document.prototype.hasFocus = () => true")
        self.until(page, "() => !document.querySelector('.talk[data-unread]')")
        other.close()

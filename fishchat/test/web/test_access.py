"""The pages for everybody: assistive technology, all widths, languages and themes; and lines of a hostile server."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from fishchat.test.support.browser import BrowserCase
from fishchat.test.support.line_client import LineClient

AXE = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (320, 390, 820, 1440, 2560)
#: What sticks out of the page to the right, or is covered.
OUTSIDE = """() => [...document.querySelectorAll('body *')].filter((one) => {
  const box = one.getBoundingClientRect()
  return box.width && box.right > innerWidth + 1 && !one.closest('.vh, .skip, pre, [hidden]')
    && getComputedStyle(one).position !== 'fixed'
}).slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""


_numbers = count()


class Everywhere(BrowserCase):
    """Every screen in both languages and themes, at five widths."""

    def _room(self, **options: Any) -> Any:
        """A page with a topic that has all kinds of messages."""
        name = f"room{next(_numbers)}"
        page = self.open(self.context(**options))
        page.locator("form input").first.fill(name)
        page.locator("form button.primary").click()
        page.locator(".list .top .icon").wait_for()
        other = LineClient(self.up.lines, f"{name}.x")
        other.ask(f"CREATE {name}")
        page.locator(".list .top .icon").click()
        page.locator("dialog input").fill(f"#{name}")
        page.locator("dialog .primary").click()
        page.locator(".desk textarea").wait_for()
        page.wait_for_function("() => !document.querySelector('dialog')")
        long = "averyverylongwordwithoutanyblanks" * 12
        for text in ("hello", f"@{name} **look** at `this` https://example.org/{long}", long, "鱼" * 300, "😀" * 200):
            other.ask(f"SAY {name} {text}")
        other.ask(f"@esc SAY {name} ```\\n{long}\tx\\n```\\n> quote\\n- item")
        first = next(one for one in other.ask(f"HISTORY #{name}") if one.endswith(" hello")).split(" ")
        message = next(word for word in first if word.startswith(f"#{name}:"))
        other.ask_all([f"REACT {message} +1", f"PIN {message}", f"EDIT {message} hello again"])
        other.ask(f"@reply={message} SAY {name} an answer")
        page.locator("article", has_text="an answer").wait_for()
        other.close()
        return page

    def _check(self, page: Any, where: str) -> None:
        if not page.evaluate("() => 'axe' in window"):
            page.evaluate(AXE.read_text("utf-8"))
        # The name of a conversation begins with its title; axe wants all that is written there in it.
        off = {"label-content-name-mismatch": {"enabled": False}}
        rules = {"rules": off, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
        found = page.evaluate("(rules) => axe.run(document, rules)", rules)["violations"]
        serious = [
            f"{where}: {one['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"][:2]
        ]
        self.assertEqual(serious, [])

    def test_axe(self) -> None:
        """Nothing serious on any screen."""
        for locale in ("en-US", "zh-CN"):
            for scheme in ("light", "dark"):
                entry = self.open(self.context(locale=locale, color_scheme=scheme))
                entry.locator("form").wait_for()
                self._check(entry, f"entry {locale} {scheme}")
                page = self._room(locale=locale, color_scheme=scheme)
                self._check(page, f"room {locale} {scheme}")
                page.keyboard.press("Control+k")
                page.locator("dialog.switcher input").wait_for()
                self._check(page, f"switcher {locale} {scheme}")
                page.keyboard.press("Escape")
                page.locator("article", has_text="an answer").hover()
                page.locator("article", has_text="an answer").locator(".tools .icon").last.click()
                page.get_by_role("menu").wait_for()
                self._check(page, f"menu {locale} {scheme}")
                page.keyboard.press("Escape")
                for place in ("settings", "contacts"):
                    page.goto(self.up.address + place)
                    page.locator(".page").wait_for()
                    self._check(page, f"{place} {locale} {scheme}")

    def test_widths(self) -> None:
        """Nothing sticks out, and the field for messages is whole, from a phone to a wall."""
        page = self._room()
        for width in WIDTHS:
            for place in ("", "settings", "contacts", None):
                page.set_viewport_size({"width": width, "height": 700})
                if place is not None:
                    page.goto(self.up.address + place)
                    page.locator(".app").wait_for()
                else:
                    page.go_back()
                    page.go_back()
                    page.go_back()
                    page.locator(".desk").wait_for()
                    desk = page.locator(".desk").bounding_box()
                    self.assertLessEqual(desk["y"] + desk["height"], 700, width)
                self.assertEqual(page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0, (width, place))
                self.assertEqual(page.evaluate(OUTSIDE), [], (width, place))

    def test_small_window(self) -> None:
        """With the keyboard of a phone, the field stays in sight, and its text is not smaller than 16 px."""
        page = self._room(viewport={"width": 390, "height": 380}, has_touch=True, is_mobile=True)
        desk = page.locator(".desk").bounding_box()
        self.assertLessEqual(desk["y"] + desk["height"], 380)
        size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('textarea')).fontSize)")
        self.assertGreaterEqual(size, 16)
        meta = page.evaluate("document.querySelector('meta[name=viewport]').content")
        self.assertIn("interactive-widget=resizes-content", meta)

    def test_keyboard(self) -> None:
        """A message is answered, edited and recalled without a mouse."""
        page = self.enter("keys")
        self.start(page, "keys")
        page.keyboard.type("first")
        page.keyboard.press("Enter")
        page.get_by_role("article", name="stored: first").wait_for()
        page.keyboard.press("Shift+F6")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("r")
        self.until(page, "() => document.activeElement.tagName === 'TEXTAREA' && document.querySelector('.re')")
        page.keyboard.type("second")
        page.keyboard.press("Enter")
        self.sees(page, "second").locator(".quote", has_text="first").wait_for()
        page.keyboard.press("ArrowUp")
        self.until(page, "() => document.querySelector('textarea').value === 'second'")
        page.keyboard.type(" thoughts")
        page.keyboard.press("Enter")
        page.get_by_role("article", name="stored: second thoughts").wait_for()
        page.keyboard.press("Shift+F6")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Delete")
        page.get_by_text("You recalled a message").wait_for()

    def test_announcements(self) -> None:
        """A screen reader hears new messages, and nothing of those that are loaded."""
        page = self.enter("ear")
        other = LineClient(self.up.lines, "ear.x")
        other.ask_all(f"MSG ear old {n}" for n in range(30))
        page.get_by_role("link", name="ear.x, 30 unread").click()
        self.sees(page, "old 29")
        region = "document.getElementById('announcer').textContent"
        self.assertEqual(page.evaluate(region), "")
        self.assertEqual(page.get_by_role("log", name="Messages").get_attribute("aria-live"), "off")
        other.ask("MSG ear new one")
        self.until(page, f"() => {region} === 'ear.x: new one'")
        other.close()


class Hostile(BrowserCase):
    """Whatever a server or another person writes is text."""

    def test_texts(self) -> None:
        """Markup, scripts, letters that turn the direction, 7 KB without a blank: nothing happens."""
        page = self.enter("safe")
        other = LineClient(self.up.lines, "safe.x")
        texts = [
            "<img src=x onerror=alert(1)><script>alert(1)</script>",
            "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
            "javascript:alert(1) [x](javascript:alert(1)) data:text/html,x",
            "x" * 7000,
            "\N{COMBINING ACUTE ACCENT}" * 2000,
            "**" * 3000,
            "```",
        ]
        other.ask_all(f"MSG safe {text}" for text in texts)
        page.get_by_role("link", name="safe.x").click()
        self.sees(page, "```")
        self.assertEqual(page.locator(".log img, .log script, .log iframe").count(), 0)
        self.assertEqual(page.locator(".log a[href^='javascript'], .log a[href^='data']").count(), 0)
        self.assertEqual(
            page.evaluate("getComputedStyle(document.querySelector('.letter .text')).unicodeBidi"), "isolate"
        )
        other.close()

    def test_lines(self) -> None:
        """A server that sends nonsense is left and tried again; the page lives."""
        page = self.open()
        nonsense = ["RESP_MESSAGE_P2P", "OK", "\\u0000", "@esc RESP_MESSAGE_P2P a a+b:1-1 \\\\x", "ITEM", "x" * 16000]

        def answer(wire: Any) -> None:
            wire.send("HELLO fishchat/1 server=evil auth=open")
            lines = iter(nonsense)
            wire.on_message(lambda _: wire.send(next(lines, "RESP_REVOKED <b>x</b>")))

        page.route_web_socket("**/socket", answer)
        page.get_by_label("Name").fill("lines")
        page.get_by_role("button", name="Enter").click()
        page.wait_for_timeout(3000)  # some attempts
        self.assertTrue(page.get_by_role("heading", name="Welcome to FishChat").is_visible())


class Asleep(BrowserCase):
    """A page that slept."""

    def test_frozen(self) -> None:
        """A page that was frozen while its connection died is live again soon after it thaws."""
        page = self.enter("sleep")
        wire = page.context.new_cdp_session(page)
        LineClient(self.up.lines, "sleep.x").close()
        wire.send("Page.setWebLifecycleState", {"state": "frozen"})
        self.up.kill()
        self.up.start()
        other = LineClient(self.up.lines, "sleep.x")
        other.ask("MSG sleep good morning")
        wire.send("Page.setWebLifecycleState", {"state": "active"})
        page.get_by_role("link", name="sleep.x, 1 unread").wait_for(timeout=8000)
        other.close()

"""Two people talk in two browsers, and everything that can be done to a message is seen by the other one."""

from __future__ import annotations

from fishchat.test.support.browser import BrowserCase


class Talking(BrowserCase):
    """Pages in a real browser, on a real server."""

    def test_talk(self) -> None:
        """Two accounts talk; each message is read and marked so."""
        alice, bob = self.enter("alice"), self.enter("bob")
        self.start(alice, "bob")
        self.say(alice, "hello **bob**")
        bob.get_by_role("navigation", name="Conversations").get_by_role("link", name="alice, 1 unread").click()
        self.sees(bob, "hello bob")
        self.say(bob, "hi alice")
        self.sees(alice, "hi alice")
        alice.get_by_role("article", name="alice").filter(has_text="hello bob").wait_for()
        self.until(alice, "() => document.querySelector('article.me').getAttribute('aria-label').includes('read')")
        self.assertEqual(self.texts(alice), ["hello bob", "hi alice"])
        self.assertEqual(self.texts(bob), ["hello bob", "hi alice"])

    def test_changes(self) -> None:
        """A reply, an edit, a reaction, a pin and a recall reach the other page."""
        carol, dave = self.enter("carol"), self.enter("dave")
        self.start(carol, "dave")
        self.say(carol, "one")
        dave.get_by_role("link", name="carol").click()
        one = self.sees(dave, "one")
        self._menu(dave, one, "Reply")
        self.say(dave, "two")
        two = self.sees(carol, "two")
        self.assertIn("one", two.locator(".quote").inner_text())
        self._menu(carol, self.sees(carol, "one"), "Edit")
        self.say(carol, "three")
        self.sees(dave, "three").get_by_role("button", name="edited").wait_for()
        self._menu(dave, self.sees(dave, "three"), "React")
        dave.get_by_role("button", name="👍").first.click()
        self.sees(carol, "three").get_by_role("button", name="👍, 1").wait_for()
        self._menu(dave, self.sees(dave, "two"), "Pin")
        self.sees(carol, "two").get_by_label("pinned").wait_for()
        self._menu(carol, self.sees(carol, "three"), "Recall")
        dave.get_by_text("carol recalled a message").wait_for()
        carol.get_by_role("button", name="Edit again").click()
        self.until(carol, "() => document.querySelector('textarea').value === 'three'")

    def test_menu_of_the_last_message(self) -> None:
        """It is above everything and inside the window; everything in it can be pressed."""
        page = self.enter("menu")
        self.start(page, "#menu")
        for number in range(20):
            self.say(page, f"letter {number}")
        last = self.sees(page, "letter 19")
        last.hover()
        last.get_by_role("button", name="More").click()
        items = page.get_by_role("menuitem")
        self.assertGreater(items.count(), 5)
        for at in range(items.count()):
            items.nth(at).click(trial=True, timeout=2000)
        page.keyboard.press("Escape")
        page.get_by_role("menu").wait_for(state="detached")

    def _menu(self, page: object, article: object, item: str) -> None:
        article.hover()  # type: ignore[attr-defined]
        article.get_by_role("button", name="More").click()  # type: ignore[attr-defined]
        page.get_by_role("menuitem", name=item, exact=True).click()  # type: ignore[attr-defined]

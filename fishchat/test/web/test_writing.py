"""Writing in the pages: input methods, drafts, names, and what Enter does."""

from __future__ import annotations

from typing import Any

from fishchat.test.support.browser import BrowserCase
from fishchat.test.support.line_client import LineClient


class InputMethods(BrowserCase):
    """An input method composes letters; its keys are not those of the page."""

    def _compose(self, page: Any, *steps: str) -> Any:
        wire = page.context.new_cdp_session(page)
        for step in steps:
            wire.send("Input.imeSetComposition", {"text": step, "selectionStart": len(step), "selectionEnd": len(step)})
        return wire

    def _enter(self, wire: Any, code: int = 229) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code}
        wire.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
        wire.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})

    def test_enter_confirms(self) -> None:
        """Enter that confirms pinyin sends nothing; the next Enter sends what was composed."""
        page = self.enter("ime1")
        self.start(page, "ime1")
        field = page.get_by_role("textbox", name="Message")
        field.focus()
        wire = self._compose(page, "n", "ni", "nihao")
        self._enter(wire)
        wire.send("Input.insertText", {"text": "你好"})
        self.until(page, "() => document.querySelector('textarea').value === '你好'")
        self.assertEqual(self.texts(page), [])
        page.wait_for_timeout(50)  # the Enter of a person comes later than that of an input method
        field.press("Enter")
        self.sees(page, "你好")
        self.assertEqual(field.input_value(), "")

    def test_pushes_while_composing(self) -> None:
        """50 messages that arrive leave the composition, the caret and the focus alone."""
        page = self.enter("ime2")
        LineClient(self.up.lines, "ime3").close()
        self.start(page, "ime3")
        field = page.get_by_role("textbox", name="Message")
        field.fill("before ")
        field.focus()
        self._compose(page, "zh", "zhong")
        other = LineClient(self.up.lines, "ime3")
        other.ask_all(f"MSG ime2 letter {number}" for number in range(50))
        other.close()
        self.sees(page, "letter 49")
        self.assertEqual(field.input_value(), "before zhong")
        self.assertTrue(page.evaluate("document.activeElement.tagName === 'TEXTAREA'"))
        self.assertEqual(page.evaluate("document.querySelector('textarea').selectionStart"), 12)

    def test_names_while_composing(self) -> None:
        """During a composition no list of names opens; after it, one does, without a space before the @."""
        page = self.enter("ime4")
        other = LineClient(self.up.lines, "ime5")
        self.start(page, "#names")
        other.ask("JOIN names")
        other.close()
        field = page.get_by_role("textbox", name="Message")
        field.fill("你好@")
        names = page.get_by_role("listbox", name="Members")
        names.get_by_role("option").first.wait_for()
        field.fill("你好")
        wire = self._compose(page, "@im")
        page.wait_for_timeout(100)
        self.assertEqual(names.count(), 0)
        wire.send("Input.insertText", {"text": "@im"})
        names.get_by_role("option", name="ime5").wait_for()
        page.wait_for_timeout(50)  # as above
        field.press("Enter")
        self.until(page, "() => document.querySelector('textarea').value === '你好@ime5 '")


class Drafts(BrowserCase):
    """What was begun is there again."""

    def test_ways_out(self) -> None:
        """After a reload, another room, the list, settings, an edit, and another tab the text is there."""
        page = self.enter("draft1")
        self.start(page, "draft1")
        self.say(page, "first")
        self.sees(page, "first")
        field = page.get_by_role("textbox", name="Message")
        field.fill("half a thought")
        self.start(page, "#elsewhere")
        self._is_there(page, "")
        page.get_by_role("link", name="draft1").click()
        self._is_there(page, "half a thought")
        page.get_by_role("button", name="Settings").first.click()
        page.get_by_role("link", name="draft1").click()
        self._is_there(page, "half a thought")
        page.reload()
        self._is_there(page, "half a thought")
        field.fill("")
        field.press("ArrowUp")
        self._is_there(page, "first")
        field.press("Escape")
        self._is_there(page, "")
        field.fill("another one")
        self.until(page, "() => document.querySelector('.talks').textContent.includes('another one')")
        second = self.open(page.context, "c/draft1%2Bdraft1")
        self._is_there(second, "another one")

    def _is_there(self, page: Any, text: str) -> None:
        self.until(page, "(text) => document.querySelector('textarea')?.value === text", text)


class Sending(BrowserCase):
    """What Enter does, and long texts."""

    def test_smileys(self) -> None:
        """Enter sends `hello :)` as it is."""
        page = self.enter("smile")
        self.start(page, "smile")
        field = page.get_by_role("textbox", name="Message")
        field.type("hello :)")
        field.press("Shift+Enter")
        field.type("again :D")
        field.press("Enter")
        self.sees(page, "hello :)")
        self.assertEqual(self.texts(page), ["hello :)\nagain :D"])

    def test_long(self) -> None:
        """A text that is too long for one message is sent as several, cut at no letter."""
        page = self.enter("long")
        self.start(page, "long")
        text = "鱼" * 6000
        page.get_by_role("textbox", name="Message").fill(text)
        page.get_by_text("it will be sent as several").wait_for()
        page.get_by_role("button", name="Send", exact=True).click()
        self.until(page, "() => document.querySelectorAll('article').length === 3")
        self.assertEqual("".join(self.texts(page)), text)

    def test_fast(self) -> None:
        """Who types on while a message is being kept loses nothing of it; a second Enter sends nothing twice."""
        page = self.enter("fast")
        self.start(page, "#fast")
        page.get_by_role("textbox", name="Message").focus()
        wanted = [f"letter {number}" for number in range(30)]
        for text in wanted:
            page.keyboard.type(text)
            page.keyboard.press("Enter")
            page.keyboard.press("Enter")
        self.sees(page, wanted[-1])
        self.assertEqual(self.texts(page), wanted)

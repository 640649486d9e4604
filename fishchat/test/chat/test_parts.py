"""The parts of the chat in the terminal that need no server: texts, lines, places, and what is kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from twisted.trial.unittest import SynchronousTestCase

from fishchat.chat.home import Home, LockedError, Place, default_device, last_place, place_of
from fishchat.chat.lines import Writer
from fishchat.chat.rooms import Entry, Room, folded, mentions
from fishchat.chat.safe import safe, safe_line
from fishchat.chat.screens import styles, wrapped
from fishchat.chat.words import TEXTS, Words, is_chinese


class Safe(SynchronousTestCase):
    """Texts of others."""

    def test_nothing_is_obeyed(self) -> None:
        """No text holds anything that a terminal obeys, or that turns the direction of writing."""

        @given(st.text())
        def holds(text: str) -> None:
            shown = safe(text)
            for bad in ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\r", "\x00", "\x85", "\u2028"):
                self.assertNotIn(bad, shown)
            self.assertNotIn("\n", safe_line(text))

        holds()
        self.assertEqual(safe("a\x1b[31mb\u202ec"), "a\\x1b[31mb\\u202ec")
        self.assertEqual(safe("鱼\t🐟"), "鱼    🐟")


class Lines(SynchronousTestCase):
    """Rooms as lines."""

    def test_wrapped(self) -> None:
        """Lines have no more cells than there is room, and lose no letter but blanks at their ends."""

        @given(st.text(st.sampled_from("ab 鱼你。x")), st.integers(20, 40))
        def holds(text: str, width: int) -> None:
            lines = wrapped(text, width)
            self.assertTrue(all(cell_len(line) <= width for line in lines))
            self.assertEqual("".join(lines).replace(" ", ""), text.replace(" ", ""))

        holds()

    def test_states(self) -> None:
        """What happened to a message stands behind it, in both languages."""
        room = Room("alice+bob", "alice", seen=2)
        room.put(Entry((7, 1, 0), "bob", "first\nsecond", 0.0, "alice+bob:7-1", reactions={"+1": 2}))
        room.put(
            Entry((7, 2, 0), "alice", "mine", 0.0, "alice+bob:7-2", state="stored", edited=True, reply="alice+bob:7-1")
        )
        room.put(Entry((7, 3, 0), "bob", "", 0.0, "alice+bob:7-3", recalled="bob"))
        room.put(Entry((7, 4, 0), "bob", "JOINED carol", 0.0, "alice+bob:7-4", kind="notice"))
        writer = Writer(Words(), "alice")
        lines = [line.text.strip() for row in room.rows(folds=False) for line in writer.row(room, row)]
        wanted = ["bob: first", "second", "[+1 2]", "> reply to bob: first ⏎ second", "me: mine (edited, read)"]
        self.assertEqual(lines, [*wanted, "bob: bob recalled this message", "* carol joined"])
        chinese = Writer(Words(chinese=True), "alice")
        texts = [line.text.strip() for row in room.rows(folds=True) for line in chinese.row(room, row)]
        self.assertEqual(texts[-3:], ["我: mine (已编辑, 已读)", "bob: bob 撤回了这条消息", "* 加入：carol"])

    def test_folded(self) -> None:
        """Who came and went in between is left out."""
        moves = [Entry((1, n, 0), "a", text, 0.0) for n, text in enumerate(("JOINED b", "JOINED c", "LEFT b"))]
        row = folded(moves)
        self.assertEqual((row.joined, row.left), (("c",), ()))

    def test_days(self) -> None:
        """Today and yesterday have words."""
        self.assertEqual(Writer(Words(), "a").day(date.today()), "Today")

    def test_mentions(self) -> None:
        """A name counts as a word."""
        for text, is_meant in (("@alice hi", True), ("你好@alice。", True), ("@alice2", False), ("x@alice", False)):
            self.assertEqual(mentions(Entry((1, 1, 0), "bob", text, 0.0), "alice"), is_meant, text)


class Kept(SynchronousTestCase):
    """What outlasts a chat."""

    def test_home(self) -> None:
        """Drafts and what was sent are there again; a second chat of the device is told who has it."""
        base = Path(self.mktemp())
        home = Home(base, Place("alice", "127.0.0.1:19000"), "tui-x")
        home.notes.drafts["#a"] = "half"
        home.notes.remember("#a", "said")
        self.assertRaises(LockedError, Home, base, home.place, "tui-x")
        home.close()
        again = Home(base, home.place, "tui-x")
        self.assertEqual((again.notes.drafts, again.notes.sent), ({"#a": "half"}, {"#a": ["said"]}))
        self.assertEqual(last_place(base), home.place)
        self.assertEqual(again.state.stat().st_mode & 0o077 if again.state.exists() else 0, 0)
        again.close()

    def test_places(self) -> None:
        """An address without a port has that of TLS beyond this machine."""
        for text, place in (
            ("alice", "alice@h:1"),
            ("alice@127.0.0.1", "alice@127.0.0.1:19000"),
            ("alice@chat.example.org", "alice@chat.example.org:19443"),
            ("alice@[::1]:5", "alice@[::1]:5"),
        ):
            self.assertEqual(str(place_of(text, "h:1")), place)
        for bad in ("Alice", "a@", "a@b:99999", ""):
            self.assertRaises(ValueError, place_of, bad, "h:1")
        self.assertRegex(default_device(), r"^tui-[a-z0-9._-]{1,28}$")

    def test_words(self) -> None:
        """Every sentence has the same places in both languages, or uses some of them."""
        for name, (english, chinese) in TEXTS.items():
            self.assertTrue(english and chinese, name)
            self.assertEqual(english.count("{"), english.count("}"), name)
            self.assertEqual(chinese.count("{"), chinese.count("}"), name)
        self.assertTrue(is_chinese({"LANG": "zh_CN.UTF-8"}))
        self.assertFalse(is_chinese({"LANG": "zh_CN.UTF-8"}, "en"))

    def test_no_color(self) -> None:
        """Without colours, what matters is bold."""
        self.assertTrue(all(style.color is None for style in styles({"NO_COLOR": "1"}).values()))

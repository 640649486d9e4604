"""Edits: the text that stands, its versions, races, limits, and mentions."""

from __future__ import annotations

from typing import Any

from fishchat.test.support.operations_runner import DAY, Op, OperationCase
from fishchat.test.support.script_runner import Said, on_each_redis

AB, MESSAGE = "alice+bob", "alice+bob:7-1"
NOTES = "alice+alice:7-1"


class EditCase(OperationCase):
    """Alice has written to bob."""

    def setUp(self) -> None:
        """Two accounts, one message."""
        super().setUp()
        for account in ("alice", "bob"):
            self.login(account)
        self.said("alice", "bob", "hello")

    def edit(self, text: str, **more: Any) -> Any:
        """Edit the message as its author."""
        return self.done("alice", "edit", more.pop("of", MESSAGE), text, **more)

    def versions(self, account: str, who: str = "members", of: str = MESSAGE) -> Any:
        """Return the texts of a message, or the refusal."""
        conversation, _, at = of.rpartition(":")
        reply = self.call("operations/versions", account, conversation, at, who)
        return reply if reply[0] != "OK" else [body.split(" ", 4)[4] for body in reply[1][2::3]]


@on_each_redis
class Texts(EditCase):
    """Which text stands."""

    def test_stands_everywhere(self) -> None:
        """History, a single message and replay give the newest text under the number of the message, with the edit."""
        self.assertEqual([self.edit("one"), self.edit("two")], [2, 3])
        for account in ("alice", "bob"):
            self.assertEqual(self.page(account, AB), ["1 -;edited=alice+bob:7-3 two"])
            at, body = self.call("operations/message", account, AB, "7-1")[1:]
            self.assertEqual(body, "alice main -1 -;edited=alice+bob:7-3 two")
            self.assertTrue(at.isdigit())
        self.assertEqual(
            self.replayed(AB),
            ["1 -;edited=alice+bob:7-3 two", "2 passed", "3 edit;of=7-1 two"],
        )

    def test_kept_and_replaced(self) -> None:
        """An edit replaces the text, its escapes and its mentions; the reply stays."""
        self.send(Said("alice", "bob", r"a\nb", form=b"e;reply=alice+bob:7-1"))
        second = "alice+bob:7-2"
        self.edit("plain", of=second, attributes="mention=bob")
        self.assertEqual(self.page("bob", AB)[1], f"2 -;edited=alice+bob:7-3;mention=bob;reply={MESSAGE} plain")
        self.edit(r"c\nd", of=second, attributes="esc")
        self.assertEqual(self.page("bob", AB)[1], rf"2 e;edited=alice+bob:7-4;reply={MESSAGE} c\nd")

    def test_mention_of_all_in_a_pair(self) -> None:
        """Between two accounts nobody needs a right to mention all."""
        self.assertEqual(self.edit("x", attributes="mention=all"), 2)
        self.assertEqual(self.page("bob", AB), ["1 -;edited=alice+bob:7-2;mention=all x"])

    def test_same_text(self) -> None:
        """An edit to what stands already stores nothing, and names the entry by which it stands."""
        self.assertEqual(self.edit("hello"), "DUP 7-1")
        self.assertEqual(self.edit("new"), 2)
        before = self.dump()
        self.assertEqual(self.edit("new"), "DUP 7-2")
        self.assert_unchanged(before)
        # The end of a text is not the text; neither is the same text with escapes or for somebody else.
        for text, attributes in (("ew", ""), ("ew", "esc"), ("ew", "mention=bob"), ("new", "")):
            self.assertIsInstance(self.edit(text, attributes=attributes), int, (text, attributes))

    def test_versions(self) -> None:
        """All texts, the oldest first, for whom the configuration says."""
        for text in ("one", "two", "three"):
            self.edit(text)
        every = ["hello", "one", "two", "three"]
        self.assertEqual(self.versions("bob"), every)
        self.assertEqual(self.versions("alice", "author"), every)
        self.assertEqual(self.versions("bob", "author"), ["RIGHTS", "needs=author"])
        self.assertEqual(self.versions("bob", "nobody"), ["three"])
        self.assertEqual(self.versions("carol"), ["NOTFOUND"])
        self.assertEqual(self.versions("bob", of="alice+bob:7-2"), ["NOTFOUND"])

    def test_never_edited(self) -> None:
        """A message that was never edited has one version."""
        for who in ("members", "nobody"):
            self.assertEqual(self.versions("bob", who), ["hello"])

    def test_versions_are_not_kept(self) -> None:
        """When nobody may see replaced texts they are erased at the edit, and the conversation waits for its scrub."""
        self.edit("one", limits=(DAY, DAY, False))
        self.edit("two", limits=(DAY, DAY, False))
        stored = [fields[3] for _, fields in self.command("XRANGE", "ops:" + AB, "-", "+")]
        self.assertEqual(stored, ["alice main -1 edit;of=7-1 two"])
        self.assertEqual(self.command("SMEMBERS", "unscrubbed"), [AB])
        self.assertEqual(self.page("bob", AB, True), ["1 -;edited=alice+bob:7-3 two", "3 edit;of=7-1 two"])
        self.assertEqual(self.replayed(AB), ["1 -;edited=alice+bob:7-3 two", "3 edit;of=7-1 two"])

    def test_versions_are_no_longer_kept(self) -> None:
        """The first edit after this change of the configuration erases all texts of earlier edits."""
        for text in ("one", "two", "three"):
            self.edit(text)
        self.edit("four", limits=(DAY, DAY, False))
        left = ["1 -;edited=alice+bob:7-5 four", "5 edit;of=7-1 four"]
        self.assertEqual(self.page("bob", AB, True), left)
        self.assertEqual(self.command("XLEN", "ops:" + AB), 1)
        self.assertEqual(self.versions("bob"), ["four"])
        self.edit("five")
        self.assertEqual(self.versions("bob"), ["four", "five"])

    def test_noted_for_restores(self) -> None:
        """An edit that erases the text before it is noted with the message, the last one alone; others are not."""
        self.edit("one")
        self.assertEqual(self.command("EXISTS", "erasures"), 0)
        for text in ("two", "three"):
            self.edit(text, limits=(DAY, DAY, False))
        self.assertEqual(self.command("ZRANGE", "erasures", 0, -1), [MESSAGE + " 7-4"])

    def test_pages_among_texts_that_are_not_shown(self) -> None:
        """No page of a list with operations is empty before the end, however many of them the reader may not see."""
        self.said("alice", "bob", "old")
        self.said("alice", "bob", "between")
        for of in (MESSAGE, "alice+bob:7-2"):
            self.operate(*[Op("alice", "edit", of, f"text {number}") for number in range(100)])
        ends = ["103 edit;of=7-1 text 99", "203 edit;of=7-2 text 99"]
        messages = ["1 -;edited=alice+bob:7-103 text 99", "2 -;edited=alice+bob:7-203 text 99", "3 - between"]
        for limit in (1, 2, 3, 50, 1000):
            found: list[str] = []
            while page := self.page("bob", AB, True, versions="author", limit=limit, before=self.at(found[:1])):
                found = page + found
            self.assertEqual(found, messages + ends, limit)
            found = []
            while page := self.page(
                "bob", AB, True, versions="author", limit=limit, after=self.at(found[-1:]) or "0-0"
            ):
                found += page
            self.assertEqual(found, messages + ends, limit)

    def test_pages_among_very_many_operations_that_are_not_shown(self) -> None:
        """After some hundred of them the page is the next message alone."""
        for number in range(1500):
            self.command("XADD", "ops:" + AB, f"7-{number + 2}", "t", 1, "m", "bob main -1 react;of=0-0 +1")
        self.command("HSET", "meta:" + AB, "n", 1501, "k", 1500)
        self.assertEqual(self.page("bob", AB, True, limit=20), ["1 - hello"])
        self.said("alice", "bob", "new")
        self.assertEqual(self.page("bob", AB, True, limit=20), ["1502 - new"])
        self.assertEqual(self.page("bob", AB, True, limit=20, before="7-1502"), ["1 - hello"])
        self.assertEqual(self.page("bob", AB, True, limit=20, after="7-1"), ["1502 - new"])
        self.assertEqual(self.page("bob", AB, True, limit=20, after="7-1502"), [])

    def at(self, items: list[str]) -> str:
        """Return the position of an item, or nothing."""
        return "".join(f"7-{item.partition(' ')[0]}" for item in items)

    def test_replaced_texts_in_lists_of_operations(self) -> None:
        """A list with operations has replaced texts only for those who may see them."""
        self.edit("one")
        self.edit("two")
        shown = {
            ("bob", "members"): ["1 -;edited=alice+bob:7-3 two", "2 edit;of=7-1 one", "3 edit;of=7-1 two"],
            ("bob", "author"): ["1 -;edited=alice+bob:7-3 two", "3 edit;of=7-1 two"],
            ("alice", "author"): ["1 -;edited=alice+bob:7-3 two", "2 edit;of=7-1 one", "3 edit;of=7-1 two"],
            ("alice", "nobody"): ["1 -;edited=alice+bob:7-3 two", "3 edit;of=7-1 two"],
        }
        for (account, versions), items in shown.items():
            self.assertEqual(self.page(account, AB, True, versions=versions), items, (account, versions))


@on_each_redis
class Races(EditCase):
    """Two who edit at once, and the limits."""

    def test_was(self) -> None:
        """Of two edits of the same text the second is refused, with what stands now; again on that it is stored."""
        self.assertEqual(self.edit("one", was=MESSAGE), 2)
        self.assertEqual(self.edit("two", was=MESSAGE), "CHANGED current=alice+bob:7-2")
        self.assertEqual(self.edit("two", was="alice+bob:7-2"), 3)
        self.assertEqual(self.edit("three", was="alice+bob:7-2"), "CHANGED current=alice+bob:7-3")

    def test_was_in_one_batch(self) -> None:
        """So it is within one batch, in which the first edit is not written yet."""
        results = self.operate(
            Op("alice", "edit", MESSAGE, "one", was=MESSAGE),
            Op("alice", "edit", MESSAGE, "two", was=MESSAGE, device="phone"),
            Op("alice", "edit", MESSAGE, "one", device="phone"),
            Op("alice", "edit", MESSAGE, "three", was="alice+bob:7-2", device="phone"),
        )
        self.assertEqual(results, [2, "CHANGED current=alice+bob:7-2", "DUP 7-2", 3])
        self.assertEqual(self.versions("bob"), ["hello", "one", "three"])

    def test_was_goes_before_the_same(self) -> None:
        """An edit to the text that stands is refused all the same if its author has seen another one."""
        self.edit("one")
        self.assertEqual(self.edit("one", was=MESSAGE), "CHANGED current=alice+bob:7-2")

    def test_too_late(self) -> None:
        """After the configured time an edit is refused; 0 is never, -1 is for ever, and one's own notes have none."""
        self.said("alice", "alice", "note")
        self.assertEqual(self.edit("x", limits=(0, DAY, True)), "TOOLATE limit=0s")
        self.assertEqual(self.edit("x", of=NOTES, limits=(0, DAY, True)), 2)
        self.age(AB, 3600)
        self.assertEqual(self.edit("x", limits=(3_599_000, DAY, True)), "TOOLATE limit=3599s")
        self.assertEqual(self.edit("x", limits=(3_660_000, DAY, True)), 2)
        self.assertEqual(self.edit("y", limits=(-1, DAY, True)), 3)

    def age(self, conversation: str, seconds: int) -> None:
        """Let the first message of a conversation be that old."""
        [[at, fields], *_] = self.command("XRANGE", "log:" + conversation, "-", "+")
        self.command("DEL", "log:" + conversation)
        self.command("XADD", "log:" + conversation, at, "t", int(fields[1]) - 1000 * seconds, "m", fields[3])

    def test_a_hundred(self) -> None:
        """A message has at most a hundred edits; the same text again is no edit."""
        self.operate(*[Op("alice", "edit", MESSAGE, f"text {number}") for number in range(99)])
        self.assertEqual(self.edit("the hundredth"), 101)
        self.assertEqual(self.edit("one too many"), "FULL limit=100")
        self.assertEqual(self.edit("the hundredth"), "DUP 7-101")
        self.assertEqual(len(self.versions("bob")), 101)

    def test_quiet(self) -> None:
        """An edit neither counts as unread nor marks the conversation as read."""
        self.edit("new")
        self.assertEqual(self.conversations("bob")[AB], [2, 0, 1])
        self.said("bob", "alice", "hi")
        self.edit("newer")
        self.assertEqual(self.conversations("alice")[AB], [4, 1, 1])


@on_each_redis
class Mentions(EditCase):
    """Who is mentioned by an edit."""

    def setUp(self) -> None:
        """A topic of three."""
        super().setUp()
        self.create("alice", "t")
        for name in ("bob", "carol.b"):
            self.join(name, "t")

    def mentioned(self, account: str) -> str | None:
        """Return the numbers of the topic that mention an account."""
        found: str | None = self.command("HGET", "mentions:" + account, "#t")
        return found

    def test_added_by_an_edit(self) -> None:
        """Who is mentioned by an edit is mentioned from its number on; words that name nobody are nothing."""
        self.said("alice", "#t", "hello @bob, and @nobody")
        self.edit("hello @bob and @carol.b.", of="#t:7-1")
        self.assertEqual((self.mentioned("bob"), self.mentioned("carol.b")), ("1 2", "2"))
        self.assertEqual((self.mentioned("nobody"), self.mentioned("alice")), (None, None))

    def test_by_tag(self) -> None:
        """A tag counts instead of the words, also an empty one; nobody mentions themselves."""
        self.said("alice", "#t", "x")
        self.edit("@bob", of="#t:7-1", attributes="mention")
        self.edit("@bob", of="#t:7-1", attributes="mention=alice,carol.b")
        self.assertEqual([self.mentioned(name) for name in ("alice", "bob", "carol.b")], [None, None, "3"])

    def test_gone_with_the_message(self) -> None:
        """A recall forgets the mentions of the message and of its edits."""
        self.said("alice", "#t", "hello @bob")
        self.said("alice", "#t", "and @bob again")
        self.edit("@bob @carol.b", of="#t:7-1")
        self.done("alice", "recall", "#t:7-1")
        self.assertEqual((self.mentioned("bob"), self.mentioned("carol.b")), ("2", None))

    def test_in_one_batch(self) -> None:
        """Messages, edits and recalls of one batch; of the numbers, only the newest hundred are kept."""
        self.command("HSET", "mentions:bob", "#t", "1 2")
        self.send(*[Said("alice", "#t", f"@bob {number} @bob.") for number in range(150)])
        self.assertEqual(self.mentioned("bob"), " ".join(map(str, range(51, 151))))
        recalls = [Op("alice", "recall", f"#t:7-{number}") for number in range(52, 151)]
        edits = [Op("alice", "edit", f"#t:7-{number}", "x @carol.b") for number in (150, 51)]
        self.assertEqual(self.operate(edits[0], *recalls, edits[1])[-1], 251)
        self.assertEqual((self.mentioned("bob"), self.mentioned("carol.b")), ("51", "251"))

    def test_everybody_in_one_batch(self) -> None:
        """So for those that mention everybody: the newest 32 are kept."""
        self.send(*[Said("alice", "#t", "x", form=b"-;mention=all") for _ in range(40)])
        self.assertEqual(self.command("HGET", "meta:#t", "A"), " ".join(map(str, range(9, 41))))
        self.operate(*[Op("alice", "recall", f"#t:7-{number}") for number in range(10, 41)])
        self.assertEqual(self.command("HGET", "meta:#t", "A"), "9")
        self.done("alice", "recall", "#t:7-9")
        self.assertEqual(self.command("HGET", "meta:#t", "A"), None)

    def test_forgotten_after_leaving(self) -> None:
        """A recall forgets the mentions of former members, too, also at the end of a sentence."""
        self.said("alice", "#t", "ask @bob. or @carol.b.")
        self.leave("bob", "t")
        self.leave("carol.b", "t")
        self.done("alice", "recall", "#t:7-1")
        self.assertEqual((self.mentioned("bob"), self.mentioned("carol.b")), (None, None))

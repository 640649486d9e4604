"""Reactions and pins: who has given what, how often, and the limits."""

from __future__ import annotations

from typing import Any

from fishchat.test.support.operations_runner import Op, OperationCase
from fishchat.test.support.script_runner import MS2, on_each_redis

AB, MESSAGE = "alice+bob", "alice+bob:7-1"


class ReactionCase(OperationCase):
    """Alice has written to bob."""

    def setUp(self) -> None:
        """Two accounts, one message."""
        super().setUp()
        for account in ("alice", "bob"):
            self.login(account)
        self.said("alice", "bob", "hello")

    def react(self, account: str, reaction: str, kind: str = "react", of: str = MESSAGE) -> Any:
        """React, or take it back."""
        return self.done(account, kind, of, reaction)

    def reactors(self, account: str, of: str = MESSAGE) -> Any:
        """Return who has given which reaction, or the refusal."""
        conversation, _, at = of.rpartition(":")
        reply = self.call("operations/reactions", account, conversation, at, "0")
        return reply if reply[0] != "OK" else sorted(zip(reply[2][::2], reply[2][1::2], strict=True))


@on_each_redis
class Reactions(ReactionCase):
    """Given and taken back."""

    def test_given(self) -> None:
        """History has the counts and one's own; the list has everybody."""
        for account, reaction in (("bob", "+1"), ("alice", "+1"), ("bob", "\u9c7c")):
            self.assertIsInstance(self.react(account, reaction), int)
        self.assertEqual(self.page("alice", AB), ["1 -;mine=+1;react=+1:2,\u9c7c:1 hello"])
        self.assertEqual(self.page("bob", AB), ["1 -;mine=+1,\u9c7c;react=+1:2,\u9c7c:1 hello"])
        self.assertEqual(self.reactors("alice"), [("alice", "+1"), ("bob", "+1"), ("bob", "\u9c7c")])
        self.assertEqual(self.reactors("carol"), ["NOTFOUND"])

    def test_again(self) -> None:
        """The same reaction again is the first one; taken back, it can be given again."""
        self.assertEqual(self.react("bob", "+1"), 2)
        before = self.dump()
        self.assertEqual(self.react("bob", "+1"), "DUP 7-2")
        self.assert_unchanged(before)
        self.assertEqual(self.react("bob", "+1", "unreact"), 3)
        self.assertEqual(self.react("bob", "+1", "unreact"), "NOTFOUND")
        self.assertEqual(self.page("bob", AB), ["1 - hello"])
        self.assertEqual(self.react("bob", "+1"), 4)

    def test_only_ones_own(self) -> None:
        """Nobody takes back the reaction of somebody else."""
        self.react("alice", "+1")
        self.assertEqual(self.react("bob", "+1", "unreact"), "NOTFOUND")
        self.assertEqual(self.page("bob", AB), ["1 -;react=+1:1 hello"])

    def test_any_letters(self) -> None:
        """A reaction with a letter that has a meaning in tags or lists is what it was."""
        for reaction in ("a:b", ":", ";", "\\", "a=b", "7", "1:1", "%d", "-", "\u2764\ufe0f"):
            self.empty()
            self.setUp()
            written = Op("bob", "react", MESSAGE, reaction).flat[7].decode()
            self.react("bob", reaction)
            self.react("alice", reaction)
            self.assertEqual(self.page("alice", AB), [f"1 -;mine={written};react={written}:2 hello"], reaction)
            self.assertEqual(self.reactors("alice"), [("alice", written), ("bob", written)])
            self.react("alice", reaction, "unreact")
            self.assertEqual(self.page("alice", AB), [f"1 -;react={written}:1 hello"], reaction)

    def test_eight_of_one_account(self) -> None:
        """One account gives at most eight reactions to a message."""
        for number in range(8):
            self.assertEqual(self.react("bob", f"r{number}"), 2 + number)
        self.assertEqual(self.react("bob", "r8"), "FULL limit=8")
        self.react("alice", "r8")
        self.assertEqual(self.react("bob", "r8"), "FULL limit=8")
        self.assertEqual(self.react("bob", "r7"), "DUP 7-9")
        self.react("bob", "r0", "unreact")
        self.assertIsInstance(self.react("bob", "r8"), int)

    def test_twenty_kinds(self) -> None:
        """A message has at most twenty kinds; one that is there is given also then."""
        self.create("alice", "t")
        for name in ("bob", "carol", "dave"):
            self.join(name, "t")
        self.said("alice", "#t", "hello")
        kinds = [f"r{number}" for number in range(20)]
        for number, kind in enumerate(kinds):
            self.assertIsInstance(self.react(("alice", "bob", "carol")[number // 7], kind, of="#t:7-1"), int)
        self.assertEqual(self.react("dave", "another", of="#t:7-1"), "FULL limit=20")
        self.assertIsInstance(self.react("dave", "r0", of="#t:7-1"), int)
        self.react("bob", "r7", "unreact", of="#t:7-1")
        self.assertIsInstance(self.react("dave", "another", of="#t:7-1"), int)
        shown = [f"{kind}:{2 if kind == 'r0' else 1}" for kind in kinds if kind != "r7"]
        self.assertIn("react=" + ",".join([*shown, "another:1"]), self.page("alice", "#t")[0])

    def test_in_one_batch(self) -> None:
        """The reactions of a batch are counted as if each had come alone."""
        operations = [Op(account, "react", MESSAGE, "+1") for account in ("alice", "bob")]
        operations += [Op("bob", "react", MESSAGE, "+1"), Op("alice", "unreact", MESSAGE, "+1")]
        operations += [Op("alice", "unreact", MESSAGE, "+1"), Op("alice", "react", MESSAGE, "ok")]
        self.assertEqual(self.operate(*operations), [2, 3, "DUP 7-3", 4, "NOTFOUND", 5])
        self.assertEqual(self.page("bob", AB), ["1 -;mine=+1;react=+1:1,ok:1 hello"])

    def test_neither_unread_nor_news(self) -> None:
        """A reaction neither counts as unread nor is the last thing in the list of conversations."""
        times = self.call("messages/conversation_times", "bob", [AB])
        self.react("alice", "+1")
        self.assertEqual(self.conversations("bob")[AB], [2, 0, 1])
        self.assertEqual(self.call("messages/conversation_times", "bob", [AB]), times)

    def test_large_topic(self) -> None:
        """With more than 500 members a reaction is stored and counted, but every device passes over its number."""
        self.create("alice", "t")
        self.join("bob", "t")
        self.said("alice", "#t", "hello")
        self.login("bob", "phone", MS2)
        for members, answer, sign in ((500, 2, "react;of=7-1 +1"), (501, "PASSED 3", "passed;of=7-1")):
            self.command(
                "HSET", "members:#t", *[word for number in range(members - 2) for word in (f"m{number}", "0-0")]
            )
            self.assertEqual(self.react("bob", "+1" if members == 500 else "ok", of="#t:7-1"), answer)
            [entry] = self.routed()[-1]["ms2"][2:3]
            self.assertIn(sign, entry)
        self.assertEqual(self.page("alice", "#t"), ["1 -;react=+1:1,ok:1 hello"])
        self.assertEqual(self.page("alice", "#t", True)[2:], ["3 react;of=7-1 ok"])
        self.assertEqual([line.split(" ")[:2] for line in self.replayed("#t")][2], ["3", "passed"])
        self.assertEqual(self.react("bob", "ok", "unreact", of="#t:7-1"), "PASSED 4")
        self.assertEqual(self.done("alice", "edit", "#t:7-1", "new"), 5)
        self.assertEqual(self.call("operations/sums", "#t", ["7-1", "7-9"]), ["+1:1", "-"])


@on_each_redis
class Pins(ReactionCase):
    """Pinned messages."""

    def pins(self, account: str, conversation: str = AB) -> Any:
        """Return the texts of the pinned messages, or the refusal."""
        reply = self.call("operations/pins", account, conversation)
        return reply if reply[0] != "OK" else [body.split(" ", 4)[4] for body in reply[1][2::3]]

    def test_pinned(self) -> None:
        """In the order in which they were pinned, with the texts that stand; a removed pin is gone."""
        self.said("bob", "alice", "two")
        self.assertEqual([self.done("bob", "pin", f"{AB}:7-{number}") for number in (2, 1)], [3, 4])
        self.done("alice", "edit", MESSAGE, "one")
        self.assertEqual(self.pins("alice"), ["two", "one"])
        self.assertEqual(self.page("alice", AB), ["1 -;edited=alice+bob:7-5;pinned one", "2 -;pinned two"])
        self.assertEqual(self.done("alice", "pin", MESSAGE), "DUP 7-4")
        self.assertEqual(self.done("alice", "unpin", MESSAGE), 6)
        self.assertEqual(self.done("alice", "unpin", MESSAGE), "NOTFOUND")
        self.assertEqual(self.pins("bob"), ["two"])
        self.assertEqual(self.pins("carol"), ["NOTFOUND"])

    def test_out_of_sight(self) -> None:
        """A member that joined later does not see what was pinned before."""
        self.create("alice", "t")
        self.said("alice", "#t", "old")
        self.join("bob", "t")
        self.said("alice", "#t", "new")
        for number in (1, 2):
            self.done("alice", "pin", f"#t:7-{number}")
        self.assertEqual((self.pins("alice", "#t"), self.pins("bob", "#t")), (["old", "new"], ["new"]))

    def test_fifty(self) -> None:
        """A conversation has at most fifty pins."""
        for number in range(50):
            self.said("alice", "bob", f"{number}")
        for number in range(50):
            self.assertEqual(self.done("bob", "pin", f"{AB}:7-{1 + number}"), 52 + number)
        self.assertEqual(self.done("bob", "pin", f"{AB}:7-51"), "FULL limit=50")
        self.assertEqual(self.done("bob", "pin", f"{AB}:7-7"), "DUP 7-58")
        self.done("bob", "unpin", f"{AB}:7-7")
        self.assertEqual(self.done("bob", "pin", f"{AB}:7-51"), 103)

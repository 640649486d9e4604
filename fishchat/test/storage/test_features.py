"""What servers announce, and attributes that the store checks."""

from __future__ import annotations

from pathlib import Path

from fishchat.storage import loader
from fishchat.storage.fence import Fence
from fishchat.storage.script import Script
from fishchat.test.support.script_runner import EPOCH, MS1, MS2, Said, ScriptCase, on_each_redis

_ASKS = '--- @include "enabled"\nreturn enabled(args[1]) and 1 or 0\n'
_CHECKS = "CHECKS['colour'] = function(conversation, account, value) return value ~= 'red' and 'NOTFOUND' or nil end\n"


@on_each_redis
class Enabled(ScriptCase):
    """A feature is enabled when every registered server announces it."""

    def setUp(self) -> None:
        """Begin without a registered server."""
        super().setUp()
        for fence in (MS1, MS2):
            self.call("servers/retire", fence.server, fence.incarnation)

    def enabled(self, feature: str) -> bool:
        """What a script finds."""
        return bool(self.call(Script("ask", loader.assemble(_ASKS)), feature))

    def test_all_of_them(self) -> None:
        """One server that does not know it is enough; one that has ended does not count."""
        self.register(MS2, features="topics")
        self.register(MS1, features="topics polls")
        self.assertFalse(self.enabled("polls"))
        self.call("servers/retire", "ms2", MS2.incarnation)
        self.register(MS2, features="polls")
        self.assertTrue(self.enabled("polls"))
        self.assertEqual([self.enabled(name) for name in ("topics", "poll", "")], [False] * 3)
        self.call("servers/retire", "ms2", MS2.incarnation)
        self.assertTrue(self.enabled("topics"))

    def test_taken_over(self) -> None:
        """The next process under a name announces what it knows itself; a dead one is forgotten."""
        self.register(MS1, features="polls")
        self.register(MS2, features="polls")
        self.register(Fence(b"ms2", b"cccc", EPOCH), features="")
        self.assertFalse(self.enabled("polls"))
        self.command("DEL", "lease:ms2")
        self.call("servers/reap", 100)
        self.assertTrue(self.enabled("polls"))


@on_each_redis
class Attributes(ScriptCase):
    """Messages with attributes."""

    def setUp(self) -> None:
        super().setUp()
        self.login("bob")

    def test_stored_as_they_are(self) -> None:
        """An attribute that nobody has to check is stored with the message; a repetition with it is known."""
        marked = Said("alice", "bob", "x", 1, form=b"e;mood=calm;size=7-1")
        self.assertEqual(self.send(marked), [1])
        [[_, fields]] = self.command("XRANGE", "log:alice+bob", "-", "+")
        self.assertEqual(fields[3], "alice main 1 e;mood=calm;size=7-1 x")
        self.assertEqual(self.send(marked), ["DUP 7-1"])
        self.assertEqual(self.send(Said("alice", "bob", "x", 1)), ["CONFLICT expected=2"])

    def test_checked(self) -> None:
        """A file of a feature checks an attribute: what it refuses is not stored, and uses up no number."""
        directory = Path(self.mktemp())
        (directory / "painting").mkdir(parents=True)
        (directory / "painting" / "attribute_colour.lua").write_text(_CHECKS)
        self.patch(loader, "ROOTS", (*loader.ROOTS, directory))
        send = Script("send", loader.assemble(loader.read("logs/send")))
        said = [
            Said("alice", "bob", "one", 1, form=b"-;colour=blue"),
            Said("alice", "bob", "two", 1, form=b"-;colour=red;size=2"),
            Said("alice", "bob", "three", 2),
        ]
        self.assertEqual(self.send(*said, script=send), ["NOTFOUND", 1, 2])
        self.assertEqual([text for _, text in self.log("alice+bob")], ["two", "three"])
        self.assertNotIn("painting/attribute_colour", loader.names())

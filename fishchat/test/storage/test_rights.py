"""Who may do what in a topic: the scripts, the one place that they ask, and what ``send.lua`` finds by itself."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import ensureDeferred

from fishchat.features.moderation.reference import may, needs
from fishchat.storage import loader
from fishchat.storage.logs import calls
from fishchat.storage.script import Script
from fishchat.test.support.account_runner import Plain
from fishchat.test.support.govern_runner import ROLES, TOPIC, GovernCase
from fishchat.test.support.script_runner import EPOCH, STREAM, ScriptCase, on_each_redis

FORBIDS = Script("forbids", loader.assemble('--- @include "rights"\nreturn forbids(args[1], args[2], args[3])'))
ACTIONS = ("write", "list", "invite", "leave", "dismiss")
PEOPLE = ("alice", "bob", "carol", "dave")


class RightsCase(ScriptCase):
    """Alice owns a topic, Bob is a member, Carol was one, Dave never was."""

    def setUp(self) -> None:
        """Made by the scripts themselves."""
        super().setUp()
        for name in PEOPLE:
            self.login(name)
        self.create("alice", "fishing")
        for name in ("bob", "carol"):
            self.join(name, "fishing")
        self.said("alice", "#fishing", "one")
        self.leave("carol", "fishing")

    def forbids(self, account: str, action: str, topic: str = "fishing") -> Any:
        """The word, or None."""
        reply = self.call(FORBIDS, account, "#" + topic, action)
        return reply[0] if reply else None


@on_each_redis
class Rights(RightsCase):
    """``lib/rights.lua``."""

    def test_table(self) -> None:
        """Every action, for everybody."""
        found = {name: [self.forbids(name, action) for action in ACTIONS] for name in PEOPLE}
        no = "NOTMEMBER"
        self.assertEqual(found["alice"], [None, None, None, "OWNER", None])
        self.assertEqual(found["bob"], [None, None, None, None, "OWNER"])
        self.assertEqual(found["carol"], [no, no, no, no, "OWNER"])
        self.assertEqual(found["dave"], found["carol"])

    def test_no_such_topic(self) -> None:
        """Nobody may do anything there."""
        for name in PEOPLE:
            self.assertEqual({self.forbids(name, action, "nothing") for action in ACTIONS}, {"NOTFOUND"})

    def test_sending(self) -> None:
        """``send.lua`` looks members up once a batch, by itself: its answers are the same."""
        for topic in ("fishing", "nothing"):
            for name in PEOPLE:
                result = self.said(name, "#" + topic, "x")
                word = None if isinstance(result, int) else result
                self.assertEqual(word, self.forbids(name, "write", topic), (name, topic))

    def test_scripts(self) -> None:
        """Each verb refuses with what the table says."""
        for topic in ("nothing", "fishing"):
            for name in ("dave", "carol", "bob", "alice"):
                tried = {
                    "list": self.call("topics/members", name, topic, [name]),
                    "invite": self.fenced("topics/invite", name, topic, "dave", 10, STREAM, b"x main -1 n x"),
                    "leave": self.leave(name, topic) if name != "bob" else ["OK"],
                    "dismiss": self.fenced("topics/dismiss", name, topic, STREAM, b"x main -1 n x")
                    if name != "alice" or topic == "nothing"
                    else ["OK"],
                }
                for action, reply in tried.items():
                    word = None if reply[0] == "OK" else reply[0]
                    wanted = None if (name, action) == ("bob", "leave") else self.forbids(name, action, topic)
                    self.assertEqual(word, wanted, (name, action, topic))


@on_each_redis
class Sight(RightsCase):
    """``may_read``, for roles that hold no sessions."""

    def may_read(self, account: str, conversation: str, at: tuple[int, int] | None = None) -> bool:
        """As a role asks it."""
        ask = calls.may_read(account.encode(), conversation.encode(), at)
        found: bool = self.successResultOf(ensureDeferred(ask.of(Plain(self.runner))))
        return found

    def test_conversations(self) -> None:
        """Members, former members, both sides of a p2p conversation; nobody else."""
        self.said("alice", "bob", "x")
        self.assertEqual([self.may_read(name, "#fishing") for name in PEOPLE], [True, True, True, False])
        self.assertEqual([self.may_read(name, "alice+bob") for name in PEOPLE], [True, True, False, False])
        self.assertFalse(self.may_read("alice", "#nothing"))

    def test_messages(self) -> None:
        """A former member may read what was said until it left, a new one what was said since it came."""
        self.said("alice", "#fishing", "two")
        self.join("dave", "fishing")
        self.said("alice", "#fishing", "three")
        found = {name: [self.may_read(name, "#fishing", (EPOCH, n)) for n in (1, 2, 3)] for name in PEOPLE}
        self.assertEqual(found["alice"], [True, True, True])
        self.assertEqual(found["carol"], [True, False, False])
        self.assertEqual(found["dave"], [False, False, True])

    def test_like_history(self) -> None:
        """It says of each message what a page of history says."""
        for text in ("two", "three"):
            self.said("bob", "#fishing", text)
        for name in PEOPLE:
            page = self.history(name, "#fishing")
            shown = [] if page == "NOTFOUND" else page
            may = [self.may_read(name, "#fishing", (EPOCH, n)) for n in (1, 2, 3)]
            self.assertEqual(may.count(True), len(shown), name)

    def test_deleted(self) -> None:
        """A deleted account reads nothing, even while its deletion is under way."""
        self.call("accounts/erase", "bob", "")
        self.assertFalse(self.may_read("bob", "#fishing"))


@on_each_redis
class Roles(GovernCase):
    """What each role may do, under each restriction."""

    #: Action → what a member, an admin and the owner are told.
    EXPECTED: dict[str, tuple[str, str, str]] = {
        "write": ("", "", ""),
        "list": ("", "", ""),
        "invite": ("", "", ""),
        "leave": ("", "", "OWNER"),
        "react": ("", "", ""),
        **dict.fromkeys(
            ("mention_all", "pin", "recall", "mute", "kick", "ban", "link", "admit", "describe"),
            ("RIGHTS needs=admin", "", ""),
        ),
        **dict.fromkeys(("govern", "appoint", "transfer"), ("RIGHTS needs=owner", "RIGHTS needs=owner", "")),
        "dismiss": ("OWNER", "OWNER", ""),
    }
    #: Actions that a mute closes, and those that remain.
    SPEAKING = ("write", "invite", "react", "mention_all", "pin", "link", "describe")

    def forbids(self, account: str, action: str) -> str:
        """The refusal in one string; empty if there is none."""
        return " ".join(self.call(FORBIDS, account, TOPIC, action) or [])

    def test_table(self) -> None:
        """Every action of every role, and of an account that is no member; the page says the same."""
        self.assertEqual(self.EXPECTED.keys(), needs().keys())
        for action, (member, admin, owner) in self.EXPECTED.items():
            wanted = {"alice": owner, "bob": admin, "carol": member}
            wanted["dave"] = "OWNER" if action == "dismiss" else "NOTMEMBER"
            self.assertEqual({name: self.forbids(name, action) for name in ROLES}, wanted, action)
            for name, role in ROLES.items():
                if role:
                    self.assertEqual(may(role, action), not wanted[name], (name, action))

    def test_settings(self) -> None:
        """A setting opens an action to all members, closes it to them, or to everybody."""
        for setting, action, values in (
            ("invite", "invite", {"all": "", "admins": "RIGHTS needs=admin"}),
            ("all", "mention_all", {"all": "", "admins": "RIGHTS needs=admin"}),
            ("react", "react", {"all": "", "admins": "RIGHTS needs=admin", "off": "RIGHTS needs=nobody"}),
        ):
            for value, word in values.items():
                self.set("alice", setting, value)
                self.assertEqual(self.forbids("carol", action), word, (setting, value))
                off = word if value == "off" else ""
                self.assertEqual([self.forbids(name, action) for name in ("alice", "bob")], [off, off])

    def test_muted(self) -> None:
        """A mute closes every action that speaks, of an admin as well, and no other."""
        self.mute("alice", "bob", 600)
        self.mute("alice", "carol", 600)
        for account, place in (("carol", 0), ("bob", 1)):
            until = self.members()[account][3]
            for action, words in self.EXPECTED.items():
                wanted = words[place]
                if not wanted and action in self.SPEAKING:
                    wanted = f"MUTED until={until}"
                self.assertEqual(self.forbids(account, action), wanted, (account, action))

    def test_only_admins_write(self) -> None:
        """Then a member says nothing in any other way either."""
        self.set("alice", "write", "admins")
        for action in ("write", "react", "invite"):
            words = [self.forbids(name, action) for name in ("alice", "bob", "carol")]
            self.assertEqual(words, ["", "", "RIGHTS needs=admin"], action)
        self.assertEqual(self.forbids("carol", "leave"), "")

    def test_like_sending(self) -> None:
        """``send.lua`` refuses what this table refuses, under every restriction, with the same words."""
        self.join("dave", "fishing")
        self.said("carol", TOPIC, "x")
        for write in ("all", "admins"):
            for slow in ("0", "600"):
                for muted in ("", "bob", "carol"):
                    self.set("alice", "write", write)
                    self.set("alice", "slow", slow)
                    if muted:
                        self.mute("alice", muted, 600)
                    for account in ROLES:
                        before = self.forbids(account, "write")
                        result = self.said(account, TOPIC, "x")
                        word = "" if isinstance(result, int) else result
                        self.assertEqual(word, before, (account, write, slow, muted))
                    if muted:
                        self.unmute("alice", muted)

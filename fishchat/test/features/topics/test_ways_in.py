"""How a topic is created and joined: its settings, its history for new members, notices, and how long it takes."""

from __future__ import annotations

from fishchat.test.features.topics.test_scripts import TOPIC, TopicCase
from fishchat.test.support.script_runner import MS2, STREAM, on_each_redis


@on_each_redis
class Creating(TopicCase):
    """The settings of a new topic."""

    def test_settings(self) -> None:
        """They are fields of the topic, and take effect: who may write, what the directory lists."""
        self.create("alice", "fishing", "approval", write="admins", history="all", listed="yes")
        names = ("kind", "write", "history", "listed", "since")
        found = self.command("HMGET", "topic:" + TOPIC, *names)
        self.assertEqual(found, ["approval", "admins", "all", "yes", "0-0"])
        self.assertEqual(self.command("ZRANGE", "directory", 0, -1), ["fishing"])
        self.command("HSET", "members:" + TOPIC, "bob", "0-0")
        self.assertEqual((self.said("bob", TOPIC, "x"), self.said("alice", TOPIC, "x")), ("RIGHTS needs=admin", 1))

    def test_none(self) -> None:
        """Without any, nothing restricts the members."""
        self.create("alice", "fishing")
        self.assertEqual(self.command("EXISTS", "directory"), 0)
        self.assertIsNone(self.command("HGET", "meta:" + TOPIC, "b"))

    def test_after_an_earlier_version(self) -> None:
        """What a server that did not know these keys has left of a topic does not hold for the next of its name."""
        for key in ("admins", "muted", "banned", "slow", "asked"):
            self.command("HSET", f"{key}:{TOPIC}", "bob", "0 alice x")
        self.command("SADD", "links:" + TOPIC, "fingerprint")
        self.command("HSET", "meta:" + TOPIC, "b", "ams30")
        self.create("alice", "fishing")
        self.assertEqual(self.join("bob", "fishing")[0], "OK")
        self.assertEqual(self.said("bob", TOPIC, "x"), 1)
        keys = [f"{key}:{TOPIC}" for key in ("admins", "muted", "banned", "slow", "asked", "links")]
        self.assertEqual(self.command("EXISTS", *keys), 0)


@on_each_redis
class Joining(TopicCase):
    """What a new member may see, and what others hear of it."""

    def notices(self, account: str, **more: int) -> list[object]:
        """Join, and return the notices: conversation, number, body, membership version."""
        limits = (100, 100, more.get("notified", 100), 100)
        reply = self.fenced("topics/join", STREAM, account, "main", "fishing", "", *limits)
        return [(notice[1], notice[3], notice[4], notice[5]) for notice in reply[3]]

    def test_notice(self) -> None:
        """The notice has the version under which the new member is one, here and on its way to other servers."""
        self.create("alice", "fishing")
        body = "bob main -1 n JOINED bob"
        self.assertEqual(self.notices("bob"), [(TOPIC, 1, body, 2)])
        self.assertEqual(self.routed(), [{"ms2": [TOPIC, 1, body, 2]}])
        self.assertEqual(self.notices("bob"), [])

    def test_quiet(self) -> None:
        """The notice is unread for nobody, and new members read their own first."""
        self.create("alice", "fishing")
        self.notices("bob")
        self.notices("carol")
        self.assertEqual([self.conversations(name)[TOPIC][2] for name in ("alice", "bob", "carol")], [0, 0, 0])
        self.assertEqual(self.history("carol", TOPIC), ["JOINED carol"])
        self.assertIsNone(self.command("HGET", "meta:" + TOPIC, "time"))

    def test_bound(self) -> None:
        """Only while there are so many members, the new one included."""
        self.create("alice", "fishing")
        self.assertEqual(len(self.notices("bob", notified=2)), 1)
        self.assertEqual(self.notices("carol", notified=2), [])

    def test_banned(self) -> None:
        """A ban closes every topic and ends an invitation's worth; one that has lapsed does not count."""
        self.create("alice", "fishing")
        self.command("HSET", "banned:" + TOPIC, "bob", "0 alice")
        self.assertEqual(
            (self.join("bob", "fishing"), self.invite("alice", "fishing", "bob")), (["BANNED"], ["BANNED"])
        )
        self.command("SADD", "invited:" + TOPIC, "bob")
        self.assertEqual(self.join("bob", "fishing"), ["BANNED"])
        self.command("HSET", "banned:" + TOPIC, "bob", "1000 alice spam")
        self.assertEqual(self.join("bob", "fishing")[0], "OK")

    def test_whole_history(self) -> None:
        """With ``history=all`` everything is seen, is read, and has been passed by all devices."""
        self.login("bob", "phone", MS2)
        self.create("alice", "fishing", history="all")
        self.said("alice", TOPIC, "1")
        self.said("alice", TOPIC, "2")
        self.assertEqual(self.join("bob", "fishing"), ["OK", 2, "7-2"])
        self.said("alice", TOPIC, "3")
        self.assertEqual(self.history("bob", TOPIC), ["1", "2", "3"])
        self.assertEqual(self.conversations("bob")[TOPIC], [3, 2, 1])
        self.assertEqual([self.cursor("bob", TOPIC, device) for device in ("main", "phone")], ["7-2", "7-2"])
        self.assertEqual(self.login("bob", "tablet")[2][TOPIC], ["7-3", "7-2", "0-0:7-2,7-2:", 2])
        [_, _, members] = self.call("logs/members_among", TOPIC, ["bob"])
        self.assertEqual(members, ["bob", "7-2"])

    def test_first_member(self) -> None:
        """In a topic without messages there is one span."""
        self.create("alice", "fishing", history="all")
        self.join("bob", "fishing")
        self.assertEqual(self.command("HGET", "talks:bob", TOPIC), "0-0:")

    def test_cursor_ahead(self) -> None:
        """Coming back moves cursors forward only, and the spans of the earlier membership become one."""
        self.create("alice", "fishing", history="all")
        for text in ("1", "2"):
            self.join("bob", "fishing")
            self.said("alice", TOPIC, "in " + text)
            self.leave("bob", "fishing")
            self.said("alice", TOPIC, "out " + text)
        self.join("bob", "fishing")
        self.assertEqual(self.command("HGET", "talks:bob", TOPIC), "0-0:7-4,7-4:")
        self.assertEqual(self.history("bob", TOPIC), ["in 1", "out 1", "in 2", "out 2"])
        self.assertEqual((self.cursor("bob", TOPIC), self.conversations("bob")[TOPIC]), ("7-4", [4, 4, 0]))

    def test_earlier_topic(self) -> None:
        """The history begins with the topic, not with an earlier one of its name, whose members keep what they saw."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", TOPIC, "old")
        self.dismiss("alice", "fishing")
        self.create("alice", "fishing", history="all")
        self.said("alice", TOPIC, "new")
        self.join("carol", "fishing")
        self.assertEqual(self.history("carol", TOPIC), ["new"])
        self.join("bob", "fishing")
        self.assertEqual(self.history("bob", TOPIC), ["old", "DISMISSED fishing", "new"])

    def test_made_by_an_earlier_version(self) -> None:
        """A topic that did not record its beginning is seen from where its owner sees it."""
        self.create("alice", "fishing", history="all")
        self.command("HDEL", "topic:" + TOPIC, "since")
        self.said("alice", TOPIC, "x")
        self.join("bob", "fishing")
        self.assertEqual(self.history("bob", TOPIC), ["x"])

    def test_large(self) -> None:
        """In a topic of ten thousand members no way in makes Redis busy for 5 ms, unless other processes do."""
        self.create("alice", "fishing", "approval", history="all", listed="yes")
        for first in range(0, 10_000, 500):
            flat = [word for number in range(first, first + 500) for word in (f"a{number}", "0-0")]
            self.command("HSET", "members:" + TOPIC, *flat)
            self.command("HSET", "admins:" + TOPIC, *flat)
        self.command("CONFIG", "SET", "slowlog-log-slower-than", 5000)
        self.addCleanup(self.server.command, "CONFIG", "SET", "slowlog-log-slower-than", 10000)
        self.command("SLOWLOG", "RESET")
        for number in range(3):
            guest, friend = f"guest{number}", f"friend{number}"
            self.login(friend)
            self.join(guest, "fishing", members=20_000)
            self.fenced("links/accept", STREAM, "alice", "main", "fishing", guest, 20_000, 100, 0, "alice main -1 n x")
            self.invite("alice", "fishing", friend)
            self.join(friend, "fishing", members=20_000)
            self.call("links/directory", "-", "+", 100)
        self.assertLess(self.command("SLOWLOG", "LEN"), 3)
        self.assertEqual(self.command("HLEN", "members:" + TOPIC), 10_007)

"""Requests to join a topic: asking, accepting, refusing, and what may happen in between."""

from __future__ import annotations

from fishchat.test.features.links.runner import TOPIC, LinksCase
from fishchat.test.support.script_runner import MS2, STREAM, on_each_redis

PENDING = ["OK", 0, ""]


class AskingCase(LinksCase):
    """The topic is of the kind ``approval``."""

    kind = "approval"


@on_each_redis
class Asking(AskingCase):
    """JOIN_TOPIC in such a topic."""

    def test_ask(self) -> None:
        """The request is stored with its time and text; the account is no member."""
        self.assertEqual(self.join("bob", "fishing", text="let me in"), PENDING)
        time, text = self.command("HGET", "asked:" + TOPIC, "bob").split(" ", 1)
        self.assertLessEqual(abs(int(time) - self.now()), 5000)
        self.assertEqual((text, self.members()), ("let me in", ["alice"]))

    def test_again(self) -> None:
        """The text is replaced, and nobody is notified again; without a text there is none."""
        self.join("bob", "fishing", text="one")
        self.assertEqual(self.join("bob", "fishing", text="two"), PENDING)
        self.assertEqual((self.requests(), len(self.log("@alice"))), ({"bob": "two"}, 1))
        self.join("bob", "fishing")
        self.assertEqual(self.requests(), {"bob": ""})

    def test_notified(self) -> None:
        """The owner and the admins have a quiet notice, on every server, except who has blocked the account."""
        self.make_admin("carol")
        self.make_admin("dave")
        self.login("carol", "phone", MS2)
        self.call("contacts/set", "dave", "bob", "b", True, 100)
        self.join("bob", "fishing", text="hi")
        text = "REQUESTED fishing bob hi"
        for admin in ("alice", "carol"):
            self.assertEqual([said for _, said in self.log("@" + admin)], [text])
            self.assertEqual(self.conversations(admin)["@" + admin], [1, 0, 0])
        self.assertEqual(self.log("@dave"), [])
        self.assertEqual(self.routed()[-1], {"ms2": ["@carol", 1, "bob main -1 n " + text, 0]})

    def test_many_admins(self) -> None:
        """The owner and twenty admins are notified at most."""
        for number in range(40):
            self.command("HSET", "admins:" + TOPIC, f"admin{number}", 1)
        self.join("bob", "fishing")
        self.assertEqual(len(self.command("KEYS", "log:@*")), 21)
        self.assertEqual(len(self.log("@alice")), 1)

    def test_invited(self) -> None:
        """An invited account need not ask."""
        self.invite("alice", "fishing", "bob")
        self.assertEqual(self.join("bob", "fishing")[0:2], ["OK", 2])
        self.assertEqual(self.command("EXISTS", "asked:" + TOPIC, "invited:" + TOPIC), 0)

    def test_limits(self) -> None:
        """A topic has so many requests, and an account makes so many; those of topics that have ended do not count."""
        self.join("bob", "fishing", requests=1)
        self.assertEqual(self.join("carol", "fishing", requests=1), ["FULL", 1])
        self.assertEqual(self.join("bob", "fishing", requests=1), PENDING)
        self.create("carol", "sailing", "approval")
        self.assertEqual(self.join("bob", "sailing", topics=1), ["FULL", 1])
        self.refuse("bob")
        self.assertEqual(self.join("bob", "sailing", topics=1), PENDING)
        self.command("DEL", "asked:#sailing")
        self.assertEqual(self.join("bob", "fishing", topics=1), PENDING)
        self.assertEqual(self.command("SMEMBERS", "asking:bob"), ["fishing"])

    def test_banned(self) -> None:
        """A banned account cannot even ask."""
        self.ban("bob")
        self.assertEqual(self.join("bob", "fishing"), ["BANNED"])
        self.assertEqual(self.requests(), {})

    def test_listed_for_admins(self) -> None:
        """Nobody else sees who has asked."""
        self.join("bob", "fishing")
        self.assertEqual(self.requests("carol"), ["NOTMEMBER"])
        self.make_admin("carol")
        self.assertEqual(self.requests("carol"), {"bob": ""})
        self.command("HDEL", "admins:" + TOPIC, "carol")
        self.assertEqual(self.requests("carol"), ["RIGHTS", "needs=admin"])

    def test_deleted(self) -> None:
        """The requests of a deleted account are deleted with it, and its texts in the notices of others, too."""
        self.join("carol", "fishing", text="hello")
        self.join("bob", "fishing", text="hi")
        self.call("accounts/erase", "bob", "")
        steps = 0
        while self.call("accounts/erase_requests", "bob", 1):
            steps += 1
        self.assertGreater(steps, 0)
        self.assertEqual((self.requests(), self.command("EXISTS", "asking:bob", "told:bob")), ({"carol": "hello"}, 0))
        self.assertEqual([text for _, text in self.log("@alice")], ["REQUESTED fishing carol hello"])
        self.assertEqual(self.conversations("alice")["@alice"], [2, 0, 0])
        self.assertEqual(self.join("bob", "fishing"), ["NOTFOUND"])


@on_each_redis
class Deciding(AskingCase):
    """ACCEPT_MEMBER and REFUSE_MEMBER."""

    def setUp(self) -> None:
        """Bob has asked."""
        super().setUp()
        self.join("bob", "fishing")

    def test_accept(self) -> None:
        """The account is a member from then on, and has a notice that counts; the members have a quiet one."""
        self.said("alice", TOPIC, "before")
        ok, version, after, notices = self.accept("bob", notified=100)
        self.assertEqual((ok, version, after), ("OK", 2, "7-1"))
        told = [(notice[1], notice[4], notice[5]) for notice in notices]
        joined, accepted = "alice main -1 n JOINED bob", "alice main -1 n ACCEPTED fishing"
        self.assertEqual(told, [(TOPIC, joined, 2), ("@bob", accepted, 0)])
        self.assertEqual(self.conversations("bob"), {TOPIC: [2, 0, 0], "@bob": [1, 0, 1]})
        self.assertEqual(self.history("bob", TOPIC), ["JOINED bob"])
        self.assertEqual(self.requests(), {})

    def test_refuse(self) -> None:
        """The request is gone, and the account has a notice; it may ask again."""
        self.assertEqual(self.refuse("bob")[1], "@bob")
        self.assertEqual((self.requests(), self.members()), ({}, ["alice"]))
        self.assertEqual([text for _, text in self.log("@bob")], ["REFUSED fishing"])
        self.assertEqual(self.join("bob", "fishing"), PENDING)

    def test_decided_twice(self) -> None:
        """The second of two admins finds a member, or no request; there is one notice."""
        self.make_admin("carol")
        self.accept("bob")
        before = self.dump()
        self.assertEqual(self.accept("bob", "carol"), ["EXISTS"])
        self.assertEqual(self.refuse("bob", "carol"), ["NOTFOUND"])
        self.assert_unchanged(before)

    def test_refused_meanwhile(self) -> None:
        """A request that another admin has refused cannot be accepted."""
        self.refuse("bob")
        self.assertEqual(self.accept("bob"), ["NOTFOUND"])
        self.assertEqual(self.members(), ["alice"])

    def test_never_asked(self) -> None:
        """An account that has not asked cannot be made a member."""
        self.assertEqual([self.accept("carol"), self.refuse("carol")], [["NOTFOUND"], ["NOTFOUND"]])

    def test_banned_between(self) -> None:
        """An account that was banned meanwhile is not let in by its old request."""
        self.ban("bob")
        self.assertEqual(self.accept("bob"), ["BANNED"])
        self.assertEqual(self.members(), ["alice"])

    def test_deleted_between(self) -> None:
        """A deleted account is not let in; refusing it notifies nobody and leaves nothing."""
        self.call("accounts/erase", "bob", "")
        self.assertEqual(self.accept("bob"), ["NOTFOUND"])
        self.assertEqual(self.refuse("bob"), ["OK"])
        self.assertEqual(self.command("EXISTS", "log:@bob", "talks:bob", "asked:" + TOPIC), 0)

    def test_dismissed_between(self) -> None:
        """The topic is not found, and one of the same name knows nothing of the request."""
        self.dismiss("alice", "fishing")
        self.assertEqual([self.accept("bob"), self.refuse("bob")], [["NOTFOUND"], ["NOTFOUND"]])
        self.create("alice", "fishing", "approval")
        self.assertEqual((self.requests(), self.accept("bob")), ({}, ["NOTFOUND"]))

    def test_joined_between(self) -> None:
        """An account that was invited and has joined is a member, and has asked no more."""
        self.invite("alice", "fishing", "bob")
        self.join("bob", "fishing")
        self.assertEqual((self.accept("bob"), self.requests()), (["EXISTS"], {}))

    def test_no_room(self) -> None:
        """Beyond a limit the request stays, to be accepted later."""
        self.assertEqual(self.accept("bob", members=1), ["FULL", 1])
        self.assertEqual(self.accept("bob", topics=0), ["FULL", 0])
        self.assertEqual((self.requests(), self.accept("bob")[0]), ({"bob": ""}, "OK"))

    def test_rights(self) -> None:
        """Only the owner and admins decide."""
        self.assertEqual([self.accept("bob", "bob"), self.refuse("bob", "bob")], [["NOTMEMBER"], ["NOTMEMBER"]])
        self.make_admin("carol")
        self.command("HDEL", "admins:" + TOPIC, "carol")
        rights = ["RIGHTS", "needs=admin"]
        self.assertEqual([self.accept("bob", "carol"), self.refuse("bob", "carol")], [rights, rights])
        self.command("HSET", "admins:" + TOPIC, "carol", 1)
        self.assertEqual(self.accept("bob", "carol")[0], "OK")

    def test_fence(self) -> None:
        """Without the lease nothing of this is done."""
        self.link("code")
        self.command("DEL", "lease:ms1")
        before = self.dump()
        replies = [self.accept("bob"), self.refuse("bob"), self.link("x"), self.enter("carol"), self.revoke("")]
        self.assertEqual(replies, [["LEASE"]] * 5)
        self.assert_unchanged(before)

    def test_many_requests(self) -> None:
        """A topic of a thousand requests is listed at once."""
        flat = [part for number in range(999) for part in (f"guest{number}", f"{number} {'x' * 256}")]
        self.command("HSET", "asked:" + TOPIC, *flat)
        self.assertEqual(len(self.requests()), 1000)
        self.assertEqual(self.fenced("links/refuse", STREAM, "alice", "fishing", "guest5", "x main -1 n x")[0], "OK")
        self.assertEqual(len(self.requests()), 999)

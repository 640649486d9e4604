"""Links into a topic: how long and for how many they are good, and who may make them."""

from __future__ import annotations

from fishchat.model.secrets.tokens import fingerprint
from fishchat.test.features.links.runner import TOPIC, LinksCase
from fishchat.test.support.script_runner import on_each_redis


@on_each_redis
class Entering(LinksCase):
    """Joining by a link."""

    def test_enter(self) -> None:
        """A link leads into a topic by invitation, from the last message on; again, it changes nothing."""
        self.said("alice", TOPIC, "x")
        self.assertEqual(self.link()[0], "OK")
        self.assertEqual(self.enter("bob"), ["OK", 2, "7-1", "fishing"])
        before = self.dump()
        self.assertEqual(self.enter("bob"), ["OK", 2, "7-1", "fishing"])
        self.assert_unchanged(before)

    def test_uses(self) -> None:
        """A link is good for so many accounts; those that were members already, or were refused, do not count."""
        self.link(uses=2)
        self.assertEqual(self.enter("alice")[0], "OK")
        self.assertEqual(self.enter("bob", members=1), ["FULL", 1])
        self.assertEqual(self.enter("bob", topics=0), ["FULL", 0])
        self.assertEqual(
            [self.enter(name)[0] for name in ("bob", "bob", "carol", "dave")], ["OK", "OK", "OK", "NOTFOUND"]
        )
        self.assertEqual(self.members(), ["alice", "bob", "carol"])
        self.assertEqual(self.command("EXISTS", "links:" + TOPIC, "link:" + fingerprint(b"code").decode()), 0)

    def test_many_at_once(self) -> None:
        """Of twenty accounts exactly three come in by a link of three uses."""
        self.link(uses=3)
        replies = [self.enter(f"guest{number}")[0] for number in range(20)]
        self.assertEqual((replies.count("OK"), replies.count("NOTFOUND")), (3, 17))
        self.assertEqual(len(self.members()), 4)

    def test_all_alike(self) -> None:
        """A link that was never there, is used up, was revoked or has ended, or whose topic has ended, is NOTFOUND."""
        for code, more in (("used", {"uses": 1}), ("revoked", {}), ("ended", {"life": 0}), ("other", {})):
            self.link(code, **more)  # type: ignore[arg-type]
        self.create("carol", "sailing")
        self.link("gone", account="carol", topic="sailing")
        self.dismiss("carol", "sailing")
        self.enter("bob", "used")
        self.revoke(fingerprint(b"revoked").decode())
        before = self.dump()
        for code in ("never", "used", "revoked", "ended", "gone"):
            self.assertEqual(self.enter("dave", code), ["NOTFOUND"], code)
        self.assert_unchanged(before)
        self.assertEqual(self.enter("dave", "other")[0], "OK")

    def test_topic_of_the_same_name(self) -> None:
        """A link ends with its topic, also if a server that did not know links has ended that."""
        self.link()
        self.command("DEL", "topic:" + TOPIC, "members:" + TOPIC)
        self.command("HSET", "link:" + fingerprint(b"code").decode(), "created", 1)
        self.create("carol", "fishing")
        self.assertEqual(self.enter("bob"), ["NOTFOUND"])
        self.assertEqual(self.command("EXISTS", "links:" + TOPIC), 0)

    def test_banned(self) -> None:
        """A banned account comes in by no link, until its ban has lapsed; a deleted one never."""
        self.link(uses=1)
        self.ban("bob")
        self.assertEqual(self.enter("bob"), ["BANNED"])
        self.ban("bob", self.now() + 60_000)
        self.assertEqual(self.enter("bob"), ["BANNED"])
        self.call("accounts/erase", "carol", "")
        self.assertEqual(self.enter("carol"), ["NOTFOUND"])
        self.ban("bob", self.now() - 1)
        self.assertEqual(self.enter("bob")[0], "OK")

    def test_own_link(self) -> None:
        """A banned admin does not come back by a link of its own."""
        self.make_admin("bob")
        self.link(account="bob")
        self.leave("bob", "fishing")
        self.ban("bob")
        self.assertEqual(self.enter("bob"), ["BANNED"])

    def test_clock(self) -> None:
        """A clock that is ahead for a moment ends no link for good: the key outlives the link by a day."""
        self.link(life=1000)
        key = "link:" + fingerprint(b"code").decode()
        self.assertGreater(self.command("PTTL", key), 86_400_000)
        self.command("HSET", key, "until", self.now())
        self.assertEqual((self.enter("bob"), self.links()), (["NOTFOUND"], []))
        self.command("HSET", key, "until", self.now() + 60_000)
        self.assertEqual(self.enter("bob")[0], "OK")

    def test_with_approval(self) -> None:
        """Such a link leads to a request in any topic; asking again uses nothing up."""
        self.link(uses=2, approval=True)
        self.assertEqual(self.enter("bob", text="hello"), ["OK", 0, "", "fishing"])
        self.assertEqual(self.enter("bob", text="hello?"), ["OK", 0, "", "fishing"])
        self.assertEqual(self.requests(), {"bob": "hello?"})
        self.assertEqual(self.enter("carol")[0], "OK")
        self.assertEqual(self.enter("dave"), ["NOTFOUND"])
        self.assertEqual(self.members(), ["alice"])

    def test_request_ends(self) -> None:
        """An account that has asked, and then comes in by a link, has asked no more."""
        self.link("ask", approval=True)
        self.link("come")
        self.enter("bob", "ask")
        self.enter("bob", "come")
        self.assertEqual((self.requests(), self.command("EXISTS", "asking:bob")), ({}, 0))


@on_each_redis
class Administration(LinksCase):
    """Making, listing and revoking."""

    def test_list(self) -> None:
        """Admins see all valid links, also those that others have created."""
        self.make_admin("bob")
        self.link("one", uses=5)
        self.link("two", account="bob", approval=True)
        self.link("three", life=0)
        found = sorted(self.links("bob"))
        wanted = [(fingerprint(b"one").decode(), "alice", "5", ""), (fingerprint(b"two").decode(), "bob", "", "1")]
        self.assertEqual(found, sorted(wanted))

    def test_revoke(self) -> None:
        """One link by its fingerprint or the beginning of it, then all."""
        for code in ("one", "two", "three"):
            self.link(code)
        names = {code: fingerprint(code.encode()).decode() for code in ("one", "two", "three")}
        self.assertEqual(self.revoke(names["one"]), ["OK", 1])
        self.assertEqual(self.revoke(names["one"]), ["NOTFOUND"])
        self.assertEqual(self.revoke(names["two"][:10]), ["OK", 1])
        self.assertEqual([self.revoke(""), self.revoke("")], [["OK", 1], ["OK", 0]])
        self.assertEqual(self.command("KEYS", "link*"), [])

    def test_only_of_this_topic(self) -> None:
        """The link of another topic is not found, and an admin there is none here."""
        self.create("bob", "sailing")
        self.link("theirs", account="bob", topic="sailing")
        self.assertEqual(self.revoke(fingerprint(b"theirs").decode()), ["NOTFOUND"])
        self.assertEqual(self.enter("carol", "theirs")[-1], "sailing")
        self.assertEqual(self.link("mine", account="bob"), ["NOTMEMBER"])

    def test_refused(self) -> None:
        """Only the owner and admins make, list and revoke; a muted admin makes none, and may still revoke."""
        self.command("SADD", "invited:" + TOPIC, "bob")
        self.join("bob", "fishing")
        rights = ["RIGHTS", "needs=admin"]
        for account, word in (("bob", rights), ("carol", ["NOTMEMBER"])):
            self.assertEqual(self.link(account=account), word)
            self.assertEqual(self.links(account), word)
            self.assertEqual(self.revoke("", account), word)
        self.command("HSET", "admins:" + TOPIC, "bob", 1)
        till = self.now() + 60_000
        self.command("HSET", "muted:" + TOPIC, "bob", f"{till} alice spam")
        self.command("HSET", "meta:" + TOPIC, "b", "m")
        self.assertEqual(self.link(account="bob"), ["MUTED", f"until={till}"])
        self.assertEqual((self.links("bob"), self.revoke("", "bob")), ([], ["OK", 0]))
        self.assertEqual(self.link(topic="nothing"), ["NOTFOUND"])

    def test_most(self) -> None:
        """A topic has so many links at most; ended ones make room."""
        self.link("one", life=0)
        self.link("two", most=2)
        self.link("three", most=2)
        self.assertEqual(self.link("four", most=2), ["FULL", 2])
        self.revoke("")
        self.assertEqual(self.link("four", most=2)[0], "OK")

    def test_upgrade(self) -> None:
        """While a server does not know links, none is made, and no topic that such a server would open to everybody."""
        self.command("HSET", "features", "ms2", "session topics")
        before = self.dump()
        self.assertEqual(self.link(), ["TRYAGAIN"])
        self.assertEqual(self.create("bob", "sailing", "approval"), ["TRYAGAIN"])
        self.assertEqual(self.create("bob", "sailing", write="admins"), ["TRYAGAIN"])
        self.assert_unchanged(before)
        self.assertEqual(self.create("bob", "sailing")[0], "OK")

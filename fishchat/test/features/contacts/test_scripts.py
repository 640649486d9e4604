"""Who may write to whom: ``relate``, ``relations``, and how ``send``, ``status``, ``invite`` and ``read`` refuse."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from hypothesis import example, given

from fishchat.test.support import strategies
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import MS2, PROPERTY, STREAM, Said, on_each_redis

AB = "alice+bob"


class RelationsCase(AccountCase):
    """Alice, bob and carol, who have not talked."""

    def setUp(self) -> None:
        """All logged in."""
        super().setUp()
        self.people()

    def people(self) -> None:
        """The accounts."""
        for account in ("alice", "bob", "carol"):
            self.enrol(account)
            self.login(account)

    def related(self, account: str, kind: str) -> list[str]:
        """Whom it has blocked, or its contacts."""
        return sorted(self.packed("contacts/list", account, kind))

    def shut(self) -> Any:
        """Who is named in the counters of alice and bob."""
        return self.command("HGET", "meta:" + AB, "b")

    def only_contacts(self, account: str) -> None:
        """Only these may begin to write to it."""
        self.assertEqual(self.call("accounts/set_profile", account, "privacy", "contacts"), ["OK"])

    def read(self, account: str, at: str) -> Any:
        """The person has read up to there."""
        return self.fenced("messages/read", STREAM, account, AB, at, "")


@on_each_redis
class Relating(RelationsCase):
    """The lists themselves."""

    def test_lists(self) -> None:
        """Each account has a list of whom it blocked and one of its contacts; nobody else's change with them."""
        self.assertEqual(self.relate("alice", "bob", "b"), ["OK"])
        self.assertEqual(self.relate("alice", "carol", "c"), ["OK"])
        self.assertEqual((self.related("alice", "b"), self.related("alice", "c")), (["bob"], ["carol"]))
        self.assertEqual((self.related("bob", "b"), self.related("bob", "c")), ([], []))

    def test_two_facts(self) -> None:
        """An account may be a contact and blocked: each begins and ends alone, in any order."""
        names: list[str] = ["bob"]
        both, blocked, contact, nothing = (names, names), (names, names[1:]), (names[1:], names), (names[1:], names[1:])
        steps = (
            ("c", True, contact),
            ("b", True, both),
            ("b", False, contact),
            ("b", True, both),
            ("c", False, blocked),
            ("c", True, both),
            ("c", False, blocked),
            ("b", False, nothing),
        )
        for kind, wanted, after in steps:
            self.assertEqual(self.relate("alice", "bob", kind, wanted), ["OK"])
            self.assertEqual((self.related("alice", "b"), self.related("alice", "c")), after)
            self.assertEqual(self.call("accounts/describe", "alice")[-2:], [len(each) for each in after])

    def test_adding_a_blocked_account(self) -> None:
        """Adding a contact does not unblock it, whether the two have talked or not."""
        for text in ("never talked", "talked"):
            self.block("alice", "bob")
            self.assertEqual(self.relate("alice", "bob", "c"), ["OK"])
            self.assertEqual(self.said("bob", "alice", text), "NOTFOUND")
            self.assertEqual(self.said("alice", "bob", text), "BLOCKED")
            self.assertEqual(self.status("bob", "alice"), "NOTFOUND")
            self.relate("alice", "bob", "b", False)
            self.assertIsInstance(self.said("bob", "alice", text), int)

    def test_unblocked_contact(self) -> None:
        """A contact that was blocked and unblocked may start a conversation, as before."""
        self.only_contacts("alice")
        self.relate("alice", "bob", "c")
        self.block("alice", "bob")
        self.assertEqual(self.said("bob", "alice", "x"), "NOTFOUND")
        self.relate("alice", "bob", "b", False)
        self.assertEqual(self.said("bob", "alice", "x"), 1)

    def test_earlier_stores(self) -> None:
        """A store in which a relation was one or the other is read as it was."""
        self.command("HSET", "relations:alice", "bob", "b", "carol", "c")
        self.assertEqual((self.related("alice", "b"), self.related("alice", "c")), (["bob"], ["carol"]))
        self.relate("alice", "bob", "b", False)
        self.relate("alice", "carol", "c", False)
        self.assertEqual(self.command("EXISTS", "relations:alice"), 0)

    def test_ending_the_wrong_one(self) -> None:
        """To unblock a contact, or to dismiss as a contact whoever is blocked, changes nothing."""
        self.relate("alice", "bob", "c")
        self.relate("alice", "carol", "b")
        before = self.dump()
        self.assertEqual(self.relate("alice", "bob", "b", False), ["OK"])
        self.assertEqual(self.relate("alice", "carol", "c", False), ["OK"])
        self.assertEqual(self.relate("alice", "dora", "c", False), ["OK"])
        self.assert_unchanged(before)

    def test_nobody(self) -> None:
        """An account that is not there can be blocked all the same, or this would tell who is."""
        self.assertEqual(self.relate("alice", "nobody", "b"), self.relate("alice", "bob", "b"))

    def test_limit(self) -> None:
        """So many at most, of both kinds together; those that are there can be changed and ended."""
        self.relate("alice", "bob", "b", most=2)
        self.relate("alice", "carol", "c", most=2)
        before = self.dump()
        self.assertEqual(self.relate("alice", "dora", "b", most=2), ["FULL", 2])
        self.assertEqual(self.relate("alice", "bob", "b", most=2), ["OK"])
        self.assert_unchanged(before)
        self.assertEqual(self.relate("alice", "bob", "c", most=2), ["OK"])
        self.assertEqual(self.relate("alice", "carol", "c", False, most=2), ["OK"])
        self.assertEqual(self.relate("alice", "dora", "b", most=2), ["OK"])

    def test_who_has_not_talked(self) -> None:
        """A block makes no counters: a conversation begins with its first message."""
        self.block("alice", "bob")
        self.assertNotIn("meta:" + AB, self.names())

    def test_counters(self) -> None:
        """Between two who have talked the counters name who blocks: one, both, none again."""
        self.said("alice", "bob", "x")
        self.block("alice", "bob")
        self.assertEqual(self.shut(), "alice")
        self.block("bob", "alice")
        self.block("bob", "alice")
        self.assertEqual(self.shut(), "alice bob")
        self.relate("alice", "bob", "c")
        self.assertEqual(self.shut(), "alice bob")
        self.relate("alice", "bob", "b", False)
        self.assertEqual(self.shut(), "bob")
        self.relate("bob", "alice", "b", False)
        self.assertIsNone(self.shut())

    def test_deleted_is_shut_for_ever(self) -> None:
        """To block and unblock a deleted account does not open the conversation again."""
        self.said("alice", "bob", "x")
        self.erase("bob")
        self.assertEqual(self.shut(), "bob")
        self.block("alice", "bob")
        self.assertEqual(self.shut(), "bob alice")
        self.relate("alice", "bob", "b", False)
        self.assertEqual(self.shut(), "bob")

    def test_deleted_says_nothing_more(self) -> None:
        """Nor does what the deleted account had asked for before its server heard of it; it leaves no relations."""
        self.said("alice", "bob", "x")
        self.block("bob", "alice")
        self.erase("bob")
        for kind, wanted in (("b", False), ("b", True), ("c", True)):
            self.relate("bob", "alice", kind, wanted)
        self.assertEqual(self.shut(), "bob")
        self.assertEqual(self.command("EXISTS", "relations:bob"), 0)
        self.assertEqual(self.said("alice", "bob", "y"), "NOTFOUND")

    @PROPERTY
    @given(strategies.accounts, strategies.accounts)
    @example(b"a.b", b"aa")
    @example(b"ab", b"a-c")
    def test_any_names(self, one: bytes, other: bytes) -> None:
        """A block is effective for any two names, however the locale of Redis orders their characters."""
        self.empty()
        me, peer = one.decode(), other.decode()
        for account in {me, peer}:
            self.enrol(account)
            self.login(account)
        self.said(me, peer, "before")
        self.block(peer, me)
        if me != peer:
            self.assertEqual(self.said(me, peer, "x"), "NOTFOUND")
            self.assertEqual(self.said(peer, me, "x"), "BLOCKED")
            self.assertEqual(self.status(me, peer), "NOTFOUND")
        else:
            self.assertEqual(self.said(me, me, "note"), 2)

    def test_parts_of_names(self) -> None:
        """A name that is part of another one, or would be a pattern for it, is another name."""
        self.enrol("a.c")
        self.enrol("abc")
        for account in ("a.c", "abc"):
            self.login(account)
            self.said(account, "carol", "x")
        self.block("carol", "a.c")
        self.assertEqual(self.said("a.c", "carol", "x"), "NOTFOUND")
        self.assertEqual(self.said("abc", "carol", "x"), 2)


@on_each_redis
class Writing(RelationsCase):
    """Messages between two of whom one does not want them."""

    def test_blocked(self) -> None:
        """Who never talked does not begin, from either side; who blocked is told that it is its own doing."""
        self.block("bob", "alice")
        self.assertEqual(self.said("alice", "bob", "x"), "NOTFOUND")
        self.assertEqual(self.said("bob", "alice", "x"), "BLOCKED")
        self.assertNotIn("log:" + AB, self.names())
        self.assertNotIn("talks:bob", self.names())

    def test_blocked_later(self) -> None:
        """Who has talked does not go on, and the messages of before stay."""
        self.said("alice", "bob", "before")
        self.block("bob", "alice")
        self.assertEqual(self.said("alice", "bob", "x"), "NOTFOUND")
        self.assertEqual(self.said("bob", "alice", "x"), "BLOCKED")
        self.assertEqual([text for _, text in self.log(AB)], ["before"])
        self.assertEqual(self.history("alice", AB), ["before"])

    def test_both(self) -> None:
        """Each account is refused because of its own block."""
        self.said("alice", "bob", "before")
        self.block("bob", "alice")
        self.block("alice", "bob")
        self.assertEqual((self.said("alice", "bob", "x"), self.said("bob", "alice", "x")), ("BLOCKED", "BLOCKED"))

    def test_unblocked(self) -> None:
        """As if nothing had been: the next number is the next one."""
        self.said("alice", "bob", "before", 1)
        self.block("bob", "alice")
        self.assertEqual(self.said("alice", "bob", "after", 2), "NOTFOUND")
        self.relate("bob", "alice", "b", False)
        self.assertEqual(self.said("alice", "bob", "after", 2), 2)
        self.assertEqual(self.said("bob", "alice", "x"), 3)

    def test_contacts_only(self) -> None:
        """Only a contact begins; whoever the account wrote to itself may answer."""
        self.only_contacts("bob")
        self.relate("bob", "carol", "c")
        self.assertEqual(self.said("alice", "bob", "x"), "NOTFOUND")
        self.assertEqual(self.said("carol", "bob", "x"), 1)
        self.assertEqual(self.said("bob", "alice", "x"), 1)
        self.assertEqual(self.said("alice", "bob", "x"), 2)

    def test_conversation_of_before(self) -> None:
        """Who has talked before the account wanted contacts only goes on, until it is blocked."""
        self.said("alice", "bob", "x")
        self.only_contacts("bob")
        self.assertEqual(self.said("alice", "bob", "x"), 2)
        self.block("bob", "alice")
        self.assertEqual(self.said("alice", "bob", "x"), "NOTFOUND")

    def test_being_a_contact_is_one_sided(self) -> None:
        """To have somebody as a contact gives no right to write to them."""
        self.only_contacts("bob")
        self.relate("alice", "bob", "c")
        self.assertEqual(self.said("alice", "bob", "x"), "NOTFOUND")

    def test_oneself(self) -> None:
        """Notes to oneself need no contact. An account that blocks itself before its first note is refused."""
        self.only_contacts("bob")
        self.assertEqual(self.said("bob", "bob", "note"), 1)
        self.block("bob", "bob")
        self.assertEqual(self.said("bob", "bob", "note"), 2)
        self.block("carol", "carol")
        self.assertEqual(self.said("carol", "carol", "note"), "BLOCKED")

    def test_stored_before(self) -> None:
        """A message that was stored before the block and is sent again still gets its first id: it is no new one."""
        self.said("alice", "bob", "x", 1)
        self.block("bob", "alice")
        self.assertEqual(self.said("alice", "bob", "x", 1), "DUP 7-1")
        self.assertEqual(self.said("alice", "bob", "y", 1), "CONFLICT expected=2")
        self.assertEqual(self.said("alice", "bob", "y", 2), "NOTFOUND")
        self.assertEqual(self.said("alice", "bob", "x", 1), "DUP 7-1")

    def test_one_in_a_batch(self) -> None:
        """A refused message takes none of its neighbours with it."""
        self.block("bob", "alice")
        batch = Said("alice", "bob", "x"), Said("alice", "carol", "y"), Said("alice", "bob", "z")
        self.assertEqual(self.send(*batch), ["NOTFOUND", 1, "NOTFOUND"])

    def test_topics(self) -> None:
        """A block is between two: in a topic both go on."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.block("bob", "alice")
        self.assertEqual(self.said("alice", "#fishing", "x"), 1)
        self.assertEqual(self.said("bob", "#fishing", "x"), 2)


@on_each_redis
class Asking(RelationsCase):
    """Whether somebody is there, invitations to topics, and what was read."""

    def test_status(self) -> None:
        """An account that may not write may not see the status either; its own status is always visible."""
        self.assertEqual(self.status("alice", "bob"), 1)
        self.only_contacts("bob")
        self.assertEqual(self.status("alice", "bob"), "NOTFOUND")
        self.relate("bob", "alice", "c")
        self.assertEqual(self.status("alice", "bob"), 1)
        self.block("bob", "alice")
        self.assertEqual(self.status("alice", "bob"), "NOTFOUND")
        self.assertEqual(self.status("bob", "alice"), "BLOCKED")
        self.assertEqual(self.status("bob", "bob"), 1)

    def test_status_of_who_has_talked(self) -> None:
        """Between two who have talked the counters decide."""
        self.said("alice", "bob", "x")
        self.only_contacts("bob")
        self.assertEqual(self.status("alice", "bob"), 1)
        self.block("bob", "alice")
        self.assertEqual((self.status("alice", "bob"), self.status("bob", "alice")), ("NOTFOUND", "BLOCKED"))
        self.relate("bob", "alice", "b", False)
        self.assertEqual(self.status("alice", "bob"), 1)

    def test_status_of_the_deleted(self) -> None:
        """From the first step of a deletion on the account is not there, though its conversations still are."""
        self.said("alice", "bob", "x")
        self.call("accounts/erase", "bob", "")
        self.assertEqual(self.status("alice", "bob"), "NOTFOUND")
        self.create("alice", "fishing")
        self.assertEqual(self.invite("alice", "fishing", "bob"), ["NOTFOUND"])

    def test_invite(self) -> None:
        """Nobody is invited by whom it may not hear from, and no notice is left."""
        self.create("alice", "fishing")
        self.create("bob", "sailing")
        self.block("bob", "alice")
        self.assertEqual(self.invite("alice", "fishing", "bob"), ["NOTFOUND"])
        self.assertEqual(self.invite("bob", "sailing", "alice"), ["BLOCKED"])
        self.assertEqual(self.command("EXISTS", "invited:#fishing", "log:@bob", "invited:#sailing", "log:@alice"), 0)
        self.only_contacts("carol")
        self.assertEqual(self.invite("alice", "fishing", "carol"), ["NOTFOUND"])
        self.relate("carol", "alice", "c")
        self.assertEqual(self.invite("alice", "fishing", "carol")[0], "OK")

    def test_invite_a_member(self) -> None:
        """A member, who can be seen to be one, is never said not to be there."""
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.assertEqual(self.invite("alice", "fishing", "bob"), ["EXISTS"])
        self.block("bob", "alice")
        self.assertEqual(self.invite("alice", "fishing", "bob"), ["EXISTS"])

    def test_read(self) -> None:
        """While one has blocked the other neither is told what was read; the number is kept, and told again later."""
        self.login("bob", fence=MS2)
        self.said("bob", "alice", "x", fence=MS2)
        self.said("bob", "alice", "x", fence=MS2)
        self.block("bob", "alice")
        before = len(self.routed())
        self.assertEqual(self.read("alice", "7-1"), ["OK", "alice", "7-1"])
        self.assertEqual(len(self.routed()), before)
        self.assertEqual(self.command("HGET", "meta:" + AB, "r:alice"), "1")
        self.relate("bob", "alice", "b", False)
        self.assertEqual(self.read("alice", "7-2"), ["OK", "alice bob", "7-2"])
        self.assertEqual(len(self.routed()), before + 1)


@on_each_redis
class Unknown(RelationsCase):
    """A blocked account cannot distinguish the block from an account that does not exist."""

    def replies(self) -> list[Any]:
        """All that alice can ask for with bob's name, and what she is answered."""
        self.create("alice", "fishing")
        asked: list[Callable[[], Any]] = [
            lambda: self.said("alice", "bob", "x"),
            *(lambda cseq=cseq: self.said("alice", "bob", "x", cseq) for cseq in (0, 1, 2, 7)),
            lambda: self.send(Said("alice", "bob", "x"), Said("alice", "bob", "y", 1), Said("alice", "bob", "z")),
            lambda: self.status("alice", "bob"),
            lambda: self.invite("alice", "fishing", "bob"),
            lambda: self.read("alice", "7-1"),
            lambda: self.history("alice", AB),
            lambda: self.call("logs/device_conversation", "alice", "main", AB),
            lambda: self.conversations("alice"),
            lambda: self.call("topics/members", "alice", "fishing", ["alice"]),
            *(
                lambda kind=kind, wanted=wanted: self.relate("alice", "bob", kind, wanted)
                for kind, wanted in itertools.product("bc", (True, False))
            ),
            lambda: self.said("alice", "bob", "again", 1),
            lambda: self.login("alice"),
        ]
        return [ask() for ask in asked]

    def begin_anew(self) -> None:
        """The store as each of them finds it."""
        self.empty()
        self.connections = itertools.count(1)
        self.people()

    def test_who_has_not_talked(self) -> None:
        """No bob, one who has blocked alice, one who wants contacts only, one who is deleted: all replies are alike."""
        self.command("DEL", "account:bob", "session:bob", "seen:bob", "at:bob")
        nobody = self.replies()
        self.assertIn("NOTFOUND", nobody)
        for hide in (
            lambda: self.block("bob", "alice"),
            lambda: self.only_contacts("bob"),
            lambda: self.erase("bob"),
        ):
            self.begin_anew()
            hide()
            self.assertEqual(self.replies(), nobody)

    def test_who_has_talked(self) -> None:
        """A bob who has blocked alice is one who deleted his account, though nothing of what alice wrote is gone."""
        answers = []
        for hide in (lambda: self.block("bob", "alice"), lambda: self.erase("bob")):
            self.begin_anew()
            self.said("alice", "bob", "hello", 1)
            hide()
            answers.append(self.replies())
        self.assertEqual(answers[0], answers[1])
        self.assertNotEqual(answers[0][0], 2)

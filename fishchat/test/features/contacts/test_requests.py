"""Requests to become a contact, in the store."""

from __future__ import annotations

from typing import Any

from fishchat.features.accounts.administration import REQUESTS_STEP
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import STREAM, on_each_redis

DAY = 86_400_000


class RequestsCase(AccountCase):
    """Alice, bob and carol, who have not talked. Bob wants messages from his contacts only."""

    def setUp(self) -> None:
        """All logged in."""
        super().setUp()
        for account in ("alice", "bob", "carol"):
            self.enrol(account)
            self.login(account)
        self.call("accounts/set_profile", "bob", "privacy", "contacts")

    def ask(
        self,
        account: str,
        other: str,
        text: str = "hello",
        *,
        most: int = 100,
        waiting: int = 100,
        asked: int = 100,
    ) -> Any:
        """Ask. Returns the conversation of the notice, None without one, or the refusal."""
        bodies = f"{account} main -1 n ASKED {account} {text}", f"{account} main -1 n CONTACT {account}"
        reply = self.fenced("contacts/ask", STREAM, account, other, text, most, waiting, asked, *bodies)
        if reply[0] != "OK":
            return reply
        return reply[1] if len(reply) > 1 else None

    def accept(self, account: str, other: str, most: int = 100) -> Any:
        """Accept. Returns the conversation of the notice, or the refusal."""
        body = f"{account} main -1 n CONTACT {account}"
        reply = self.fenced("contacts/accept", STREAM, account, other, most, body)
        return reply[1] if reply[0] == "OK" else reply

    def waiting(self, account: str) -> dict[str, str]:
        """Return who has asked the account, with the texts."""
        flat = self.packed("contacts/requests", account)
        return {name: request.partition(" ")[2] for name, request in zip(flat[::2], flat[1::2], strict=True)}

    def related(self, account: str) -> dict[str, str]:
        """Return the relations of an account."""
        flat = self.command("HGETALL", "relations:" + account)
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def notices(self, account: str) -> list[str]:
        """Return the notices of an account."""
        return [text for _, text in self.log("@" + account)]

    def asked_ago(self, account: str, other: str, ms: int) -> None:
        """Let the account have asked so long ago; in the future if it is negative."""
        key = "contact_asks:" + account
        _, _, rest = self.command("HGET", key, other).partition(" ")
        seconds, micros = self.command("TIME")
        then = int(seconds) * 1000 + int(micros) // 1000 - ms
        self.command("HSET", key, other, f"{then} {rest}".rstrip())


@on_each_redis
class Asking(RequestsCase):
    """From the request to the answer."""

    def test_accepted(self) -> None:
        """The request waits; after its acceptance both are contacts, and both may write."""
        self.assertEqual(self.said("alice", "bob", "x"), "NOTFOUND")
        self.assertEqual(self.ask("alice", "bob"), "@bob")
        self.assertEqual(self.waiting("bob"), {"alice": "hello"})
        self.assertEqual(self.notices("bob"), ["ASKED alice hello"])
        self.assertEqual(self.said("alice", "bob", "x"), "NOTFOUND")
        self.assertEqual(self.accept("bob", "alice"), "@alice")
        self.assertEqual((self.related("alice"), self.related("bob")), ({"bob": "c"}, {"alice": "c"}))
        self.assertEqual((self.waiting("bob"), self.notices("alice")), ({}, ["CONTACT bob"]))
        self.assertEqual(self.said("alice", "bob", "x"), 1)

    def test_quiet(self) -> None:
        """Neither notice is an unread message."""
        self.ask("alice", "bob")
        self.accept("bob", "alice")
        self.assertEqual(self.conversations("bob"), {"@bob": [1, 0, 0]})
        self.assertEqual(self.conversations("alice"), {"@alice": [1, 0, 0]})

    def test_refused(self) -> None:
        """The asking account learns nothing, and may ask again after a day."""
        self.ask("alice", "bob")
        self.assertEqual(self.call("contacts/refuse", "bob", "alice"), ["OK"])
        self.assertEqual((self.waiting("bob"), self.notices("alice"), self.related("bob")), ({}, [], {}))
        self.assertIsNone(self.ask("alice", "bob"))
        self.assertEqual(self.waiting("bob"), {})
        self.asked_ago("alice", "bob", DAY)
        self.assertEqual(self.ask("alice", "bob", "please"), "@bob")
        self.assertEqual(self.waiting("bob"), {"alice": "please"})

    def test_no_request(self) -> None:
        """Only what was asked can be answered, once."""
        before = self.dump()
        self.assertEqual(self.accept("bob", "alice"), ["NOTFOUND"])
        self.assertEqual(self.call("contacts/refuse", "bob", "alice"), ["NOTFOUND"])
        self.assert_unchanged(before)
        self.ask("alice", "bob")
        self.assertEqual(self.accept("alice", "bob"), ["NOTFOUND"])
        self.accept("bob", "alice")
        self.assertEqual(self.accept("bob", "alice"), ["NOTFOUND"])

    def test_both(self) -> None:
        """A request to an account that has asked before accepts its request."""
        self.ask("alice", "bob")
        self.assertEqual(self.ask("bob", "alice"), "@alice")
        self.assertEqual((self.related("alice"), self.related("bob")), ({"bob": "c"}, {"alice": "c"}))
        self.assertEqual(self.notices("alice"), ["CONTACT bob"])
        self.assertEqual((self.waiting("alice"), self.waiting("bob")), ({}, {}))

    def test_contacts_already(self) -> None:
        """Contacts of each other have nothing to ask; a contact of one side has."""
        self.relate("alice", "bob", "c")
        self.assertEqual(self.ask("alice", "bob"), "@bob")
        self.accept("bob", "alice")
        self.asked_ago("alice", "bob", DAY)
        self.assertIsNone(self.ask("alice", "bob"))

    def test_oneself(self) -> None:
        """A request to oneself does nothing."""
        before = self.dump()
        self.assertIsNone(self.ask("alice", "alice"))
        self.assert_unchanged(before)


@on_each_redis
class Budget(RequestsCase):
    """How often and how many."""

    def test_once_a_day(self) -> None:
        """The second request of a day changes nothing; the next day's replaces the first, text and notice."""
        self.ask("alice", "bob")
        before = self.dump()
        self.assertIsNone(self.ask("alice", "bob", "again"))
        self.assert_unchanged(before)
        self.asked_ago("alice", "bob", DAY - 60_000)
        self.assertIsNone(self.ask("alice", "bob", "again"))
        self.asked_ago("alice", "bob", DAY)
        self.assertEqual(self.ask("alice", "bob", "again"), "@bob")
        self.assertEqual((self.waiting("bob"), self.notices("bob")), ({"alice": "again"}, ["ASKED alice again"]))

    def test_each_pair(self) -> None:
        """Another pair has its own day."""
        self.ask("alice", "bob")
        self.assertEqual(self.ask("alice", "carol"), "@carol")
        self.assertEqual(self.ask("carol", "bob"), "@bob")

    def test_clock_set_back(self) -> None:
        """A request of a time that is still to come bars none."""
        self.ask("alice", "bob")
        self.asked_ago("alice", "bob", -400 * DAY)
        self.assertEqual(self.ask("alice", "bob", "again"), "@bob")
        self.assertIsNone(self.ask("alice", "bob", "and again"))

    def test_waiting(self) -> None:
        """Beyond so many requests at an account, further ones are lost silently; one that waits may be renewed."""
        self.ask("alice", "bob", waiting=1)
        self.assertIsNone(self.ask("carol", "bob", waiting=1))
        self.assertEqual(self.waiting("bob"), {"alice": "hello"})
        self.asked_ago("alice", "bob", DAY)
        self.assertEqual(self.ask("alice", "bob", "again", waiting=1), "@bob")

    def test_asked(self) -> None:
        """So many names are asked, whether they are accounts or not, until 90 days have passed."""
        self.ask("alice", "bob", asked=2)
        self.ask("alice", "nobody", asked=2)
        for other in ("carol", "nobody2"):
            self.assertEqual(self.ask("alice", other, asked=2), ["FULL", 2])
        self.asked_ago("alice", "bob", 91 * DAY)
        self.assertEqual(self.ask("alice", "carol", asked=2), "@carol")
        # The notice with the text of the forgotten request is gone with it.
        self.assertEqual(self.notices("bob"), [])

    def test_full(self) -> None:
        """An account that can have no further contact cannot ask; nor can it accept."""
        self.relate("alice", "carol", "c")
        self.assertEqual(self.ask("alice", "bob", most=1), ["FULL", 1])
        self.ask("bob", "alice")
        self.assertEqual(self.accept("alice", "bob", most=1), ["FULL", 1])
        self.assertEqual(self.ask("alice", "bob", most=1), ["FULL", 1])
        self.assertEqual(self.waiting("alice"), {"bob": "hello"})


@on_each_redis
class Silence(RequestsCase):
    """What a request does not reveal, and what ends with a block or an account."""

    def test_same_answer(self) -> None:
        """No account, a blocked one, a deleted one, a full one: the reply is that of every other name."""
        self.erase("carol")
        self.block("bob", "alice")
        self.enrol("dora")
        for other, waiting in (("nobody", 100), ("carol", 100), ("bob", 100), ("dora", 0)):
            for _ in range(2):
                self.assertIsNone(self.ask("alice", other, waiting=waiting))
            self.assertEqual(self.waiting(other), {})
            self.assertRegex(self.command("HGET", "contact_asks:alice", other), r"^\d+$")

    def test_own_block(self) -> None:
        """An account that blocks another one must unblock it first, whether that exists or not."""
        for other in ("bob", "nobody"):
            self.block("alice", other)
            self.assertEqual(self.ask("alice", other), ["BLOCKED"])

    def test_block_ends(self) -> None:
        """A block removes the waiting requests of the two, from either side."""
        for blocks, blocked in (("bob", "alice"), ("alice", "bob")):
            self.ask("alice", "bob")
            self.block(blocks, blocked)
            self.assertEqual(self.waiting("bob"), {})
            self.assertEqual(self.accept("bob", "alice"), ["NOTFOUND"])
            self.relate(blocks, blocked, "b", False)
            self.command("DEL", "contact_asks:alice")

    def test_block_and_contact(self) -> None:
        """A block of before does not end with a request, and remains beside the contact."""
        self.ask("alice", "bob")
        self.command("HSET", "relations:alice", "bob", "b")
        self.accept("bob", "alice")
        self.assertEqual(self.related("alice"), {"bob": "bc"})

    def test_asker_deleted(self) -> None:
        """The deletion of an account takes its requests and their texts with it."""
        self.ask("alice", "bob", "my secret")
        self.ask("alice", "nobody")
        self.erase("alice")
        self.assertEqual((self.waiting("bob"), self.notices("bob")), ({}, []))
        self.assertEqual(self.command("EXISTS", "contact_asks:alice"), 0)
        self.assertEqual(self.ask("alice", "bob"), ["NOTFOUND"])

    def test_being_deleted(self) -> None:
        """While the requests of a deleted account are still being removed, they cannot be accepted."""
        self.ask("alice", "bob")
        self.call("accounts/erase", "alice", "")
        self.assertEqual(self.accept("bob", "alice"), ["NOTFOUND"])
        self.assertIsNone(self.ask("bob", "alice"))
        self.assertEqual(self.command("EXISTS", "relations:alice", "log:@alice"), 0)

    def test_deleted_in_steps(self) -> None:
        """A deletion removes many requests and reports in several steps."""
        count = 2 * REQUESTS_STEP + 1
        for number in range(count):
            self.command("HSET", "contact_asks:alice", f"other{number}", "1")
            report = self.command("XADD", "reports", "*", "by", "alice")
            self.command("HSET", "reported:alice", f"alice+bob:7-{number}", f"1 {report}")
        self.command("XADD", "reports", "*", "by", "bob")
        self.erase("alice")
        self.assertEqual(self.command("EXISTS", "contact_asks:alice", "reported:alice"), 0)
        self.assertEqual([fields for _, fields in self.command("XRANGE", "reports", "-", "+")], [["by", "bob"]])

    def test_receiver_deleted(self) -> None:
        """The deletion of an account takes the requests of others with it."""
        self.ask("alice", "bob")
        self.erase("bob")
        self.assertEqual(self.command("EXISTS", "contact_asked:bob"), 0)
        self.assertEqual(self.accept("bob", "alice"), ["NOTFOUND"])


@on_each_redis
class Remarks(RequestsCase):
    """What an account notes about its contacts."""

    def remark(self, other: str, text: str | None) -> None:
        """Add a contact with a remark, or without changing it."""
        wanted = ("alice", other, "c", True, 100, False if text is None else text)
        self.assertEqual(self.call("contacts/set", *wanted), ["OK"])

    def remarks(self, *others: str) -> Any:
        """Return the remarks of alice."""
        return self.call("contacts/remarks", "alice", list(others))

    def test_remarks(self) -> None:
        """A remark remains until it is replaced or removed; other contacts have none."""
        self.remark("bob", "Bob from work")
        self.remark("carol", None)
        self.assertEqual(self.remarks("bob", "carol"), ["Bob from work", ""])
        self.remark("bob", None)
        self.assertEqual(self.remarks("bob"), ["Bob from work"])
        self.remark("bob", "an old friend")
        self.assertEqual(self.remarks("bob"), ["an old friend"])
        self.remark("bob", "")
        self.assertEqual(self.remarks("bob"), [""])
        self.assertEqual(self.command("EXISTS", "remarks:alice"), 0)

    def test_ends(self) -> None:
        """A remark ends with the contact and with the account, not with a block."""
        self.remark("bob", "Bob from work")
        self.block("alice", "bob")
        self.assertEqual(self.remarks("bob"), ["Bob from work"])
        self.relate("alice", "bob", "c", False)
        self.assertEqual(self.remarks("bob"), [""])
        self.remark("carol", "Carol")
        self.erase("alice")
        self.assertEqual(self.command("EXISTS", "remarks:alice"), 0)

    def test_full(self) -> None:
        """A contact that is refused leaves no remark."""
        self.relate("alice", "bob", "c")
        self.assertEqual(self.call("contacts/set", "alice", "carol", "c", True, 1, "Carol"), ["FULL", 1])
        self.assertEqual(self.remarks("carol"), [""])

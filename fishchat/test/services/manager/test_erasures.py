"""The deletions of accounts that the manager finishes."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from fishchat.services.manager.erasures import EVERY, Erasures
from fishchat.storage.redis import ReplyError, Unknown
from fishchat.test.support.account_runner import AccountCase, Plain
from fishchat.test.support.script_runner import on_each_redis
from fishchat.testing.fake_store import FakeStore


class Finishing(SynchronousTestCase):
    """Two accounts, and a store that answers when the test says so."""

    def setUp(self) -> None:
        """Begin a round."""
        self.clock = Clock()
        self.store = FakeStore()
        store: Any = self.store
        self.erasures = Erasures(store, self.clock)
        self.erasures.startService()
        self.addCleanup(self.erasures.stopService)
        self.clock.advance(EVERY)
        self.store.answer([b"alice", b"bob"])

    def asked(self) -> list[Any]:
        """Return what waits for an answer."""
        return [asked.values for asked in self.store.asked]

    def test_one_fails(self) -> None:
        """The deletion of the other one is finished all the same; the next round repeats this one."""
        self.assertEqual(self.asked(), [[b"alice", b""]])
        self.store.answer(ReplyError("WRONGTYPE"))
        self.assertEqual(len(self.flushLoggedErrors(ReplyError)), 1)
        self.assertEqual(self.asked(), [[b"bob", b""]])

    def test_store_away(self) -> None:
        """The next round continues the work."""
        self.store.answer(Unknown("lost"))
        self.assertEqual(self.asked(), [])
        self.clock.advance(EVERY)
        self.assertEqual(self.asked(), [["SMEMBERS", "erasing"]])


@on_each_redis
class Erasing(AccountCase):
    """A deletion by the owner."""

    def test_same_as_the_operator(self) -> None:
        """After the manager's round nothing is left that a deletion by the operator would not leave."""
        left = []
        for owner in (False, True):
            self.empty()
            for account in ("alice", "bob"):
                self.enrol(account)
                self.login(account)
            self.set_secret("alice")
            self.create("alice", "fishing")
            self.join("bob", "fishing")
            for to in ("bob", "#fishing"):
                self.said("alice", to, "x")
                self.said("bob", to if to[0] == "#" else "alice", "y")
            if owner:
                self.assertEqual(self.call("accounts/erase", "alice", "2")[0], "OK")
                self.assertEqual(self.command("SMEMBERS", "erasing"), ["alice"])
                self.round()
            else:
                self.erase("alice")
            self.assertEqual([text for _, text in self.log("alice+bob") + self.log("#fishing")], ["y", "y"])
            self.assertEqual(self.command("HGET", "topic:#fishing", "owner"), "bob")
            left.append(self.names())
        self.assertEqual(left[0], left[1])

    def round(self) -> None:
        """Let the manager do a round."""
        clock = Clock()
        erasures = Erasures(Plain(self.runner), clock)
        erasures.startService()
        clock.advance(EVERY)
        erasures.stopService()

    def test_refused(self) -> None:
        """With a password that was changed, or of an account that was disabled meanwhile, nothing is deleted."""
        self.enrol("alice")
        self.set_secret("alice")
        before = self.dump()
        self.assertEqual(self.call("accounts/erase", "alice", "1"), ["AUTH"])
        self.assert_unchanged(before)
        self.disable("alice")
        before = self.dump()
        self.assertEqual(self.call("accounts/erase", "alice", "2"), ["STATE"])
        self.assert_unchanged(before)

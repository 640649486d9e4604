"""Rights that are taken back: ``disable``, ``revoke``, what the servers are told, and what a full memory allows."""

from __future__ import annotations

from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import MS2, Said, on_each_redis

AB = "alice+bob"


class RightsCase(AccountCase):
    """Alice with two devices on two msg_servers, and bob."""

    def setUp(self) -> None:
        """All logged in by password."""
        super().setUp()
        for account in ("alice", "bob"):
            self.enrol(account)
        self.by_secret("alice", "main", token="main's")
        self.by_secret("alice", "phone", token="phone's", fence=MS2)
        self.by_secret("bob")

    def assert_out(self, account: str, device: str) -> None:
        """Nothing is left of the device's session but when it was last here."""
        self.assertIsNone(self.command("HGET", "session:" + account, device))
        for key in ("on:ms1:aaaa", "on:ms2:bbbb"):
            self.assertNotIn(f"{account}/{device}", self.command("SMEMBERS", key))
        self.assertNotIn(f"/{device} ", (self.command("GET", "at:" + account) or "") + " ")


@on_each_redis
class Disabling(RightsCase):
    """Nobody may log in as this account for now."""

    def test_ends_sessions(self) -> None:
        """All of its sessions are over at once; each server is told which and why, and by the count if it missed it."""
        reply, told = self.hear_revoked("accounts/disable", "alice", True)
        self.assertEqual(reply, ["OK", 2])
        revoked = {"alice/main": "disabled ms1 aaaa 1", "alice/phone": "disabled ms2 bbbb 2"}
        self.assertEqual(told, {"server": "", "revoked": revoked, "number": 1})
        self.assertEqual(self.command("GET", "revocations"), "1")
        for device in ("main", "phone"):
            self.assert_out("alice", device)
            self.assert_about(int(self.command("HGET", "seen:alice", device)), self.now())
        self.assertNotIn("at:alice", self.names())
        self.assertEqual(self.command("GET", "at:bob"), "ms1/main")

    def test_no_way_in(self) -> None:
        """Neither by password nor by token nor without any; the tokens stay for later."""
        self.disable("alice")
        before = self.dump()
        self.assertEqual(self.by_secret("alice"), ["DISABLED"])
        self.assertEqual(self.by_token("alice", "main's"), ["DISABLED"])
        self.assertEqual(self.login("alice"), ["DISABLED"])
        self.assert_unchanged(before)
        self.disable("alice", False)
        self.assertEqual(self.by_token("alice", "main's")[0], "OK")
        self.assertEqual(self.by_token("alice", "phone's", "phone")[0], "OK")

    def test_told_by_a_right_secret_only(self) -> None:
        """Without the secret, a disabled account cannot be distinguished from one that does not exist."""
        self.disable("alice")
        for account in ("alice", "nobody"):
            self.assertEqual(self.by_token(account, "wrong"), ["AUTH"])
            self.assertEqual(self.by_secret(account, version="7"), ["AUTH"])

    def test_what_was_on_its_way(self) -> None:
        """A message that its server had not yet handed over is not stored, and can be sent again later."""
        self.disable("alice")
        reply = self.fenced("logs/send", "stream", ["alice", "bob"], Said("alice", "bob", "x").flat, [])
        self.assertEqual(reply[:3], ["OK", ["TRYAGAIN"], []])

    def test_twice(self) -> None:
        """Again nothing changes; the moment of the first time is kept."""
        self.disable("alice")
        before = self.dump()
        self.assertEqual(self.disable("alice"), ["OK", 0])
        self.assert_unchanged(before)

    def test_nobody_there(self) -> None:
        """Where no session ends nothing is counted, and nobody has to look."""
        self.enrol("carol")
        self.assertEqual(self.disable("carol"), ["OK", 0])
        self.assertNotIn("revocations", self.names())

    def test_no_account(self) -> None:
        """Neither one that never was nor one that was deleted: it does not come back by that."""
        self.erase("bob")
        before = self.dump()
        for account in ("bob", "nobody"):
            for disable in (True, False):
                self.assertEqual(self.disable(account, disable), ["NOTFOUND"])
        self.assert_unchanged(before)

    def test_enabling_what_is_enabled(self) -> None:
        """Nothing happens."""
        before = self.dump()
        self.assertEqual(self.disable("alice", False), ["OK", 0])
        self.assert_unchanged(before)


@on_each_redis
class Revoking(RightsCase):
    """Devices are forgotten."""

    def test_one(self) -> None:
        """Its token, its session and its place in conversations are gone; the other devices do not notice."""
        self.said("bob", "alice", "x")
        self.ack("alice", AB, "7-1")
        self.ack("alice", AB, "7-1", "phone", MS2)
        reply, told = self.hear_revoked("accounts/revoke", "alice", "main")
        self.assertEqual(reply, ["OK", 1, 1])
        self.assertEqual(told["revoked"], {"alice/main": "revoked ms1 aaaa 1"})
        self.assert_out("alice", "main")
        self.assertEqual(self.command("HKEYS", "tokens:alice"), ["phone"])
        self.assertEqual(self.command("HKEYS", "seen:alice"), ["phone"])
        self.assertEqual(self.command("EXISTS", "cursor:alice/main"), 0)
        self.assertEqual(self.cursor("alice", AB, "phone"), "7-1")
        self.assertEqual(self.by_token("alice", "main's"), ["AUTH"])

    def test_all(self) -> None:
        """Without a device all of them, also those that have a token only."""
        self.grant("alice", "bot")
        self.assertEqual(self.revoke("alice"), ["OK", 3, 2])
        self.assertEqual(self.command("EXISTS", "tokens:alice", "seen:alice", "session:alice", "at:alice"), 0)
        self.assertEqual(self.revoke("alice"), ["OK", 0, 0])
        self.assertEqual(self.by_secret("alice")[0], "OK")

    def test_not_there(self) -> None:
        """A device or an account that is not there."""
        before = self.dump()
        self.assertEqual(self.revoke("alice", "tablet"), ["NOTFOUND"])
        self.assertEqual(self.revoke("nobody"), ["NOTFOUND"])
        self.assertEqual(self.revoke("nobody", "main"), ["NOTFOUND"])
        self.assert_unchanged(before)

    def test_late_acknowledgement(self) -> None:
        """What its server still writes for it when it hears of that leaves nothing: such names could grow for ever."""
        self.said("bob", "alice", "x")
        self.revoke("alice", "main")
        before = self.dump()
        self.assertEqual(self.ack("alice", AB, "7-1"), 0)
        self.assertEqual(self.fenced("session/logout", ["alice", "main", 1]), 0)
        self.assert_unchanged(before)

    def test_comes_again(self) -> None:
        """A forgotten device that comes again is a new one: it begins where the account's furthest stands."""
        self.said("bob", "alice", "x")
        self.ack("alice", AB, "7-1", "phone", MS2)
        self.revoke("alice", "main")
        self.assertEqual(self.by_secret("alice")[2][AB][1], "7-1")

    def test_ended_sessions_are_not_named(self) -> None:
        """A session that was replaced or had ended is none of those that are taken back."""
        self.by_token("alice", "main's")
        self.fenced("session/logout", ["alice", "phone", 2], fence=MS2)
        reply, told = self.hear_revoked("accounts/revoke", "alice", "")
        self.assertEqual(reply, ["OK", 2, 1])
        self.assertEqual(told["revoked"], {"alice/main": "revoked ms1 aaaa 4"})

    def test_numbers(self) -> None:
        """Each time that rights are taken back has the next number, by whichever script."""
        calls = (
            ("accounts/revoke", "alice", "phone"),
            ("accounts/set_password", "alice", "argon", "scram", "", ""),
            ("accounts/disable", "bob", True),
        )
        self.assertEqual([self.hear_revoked(*call)[1]["number"] for call in calls], [1, 2, 3])

    def test_names_with_signs(self) -> None:
        """A name is no pattern: only that device ends, whatever signs it is made of."""
        for device in ("a.c", "abc", "a-c", "a"):
            self.by_secret("bob", device)
        _, told = self.hear_revoked("accounts/revoke", "bob", "a.c")
        self.assertEqual(list(told["revoked"]), ["bob/a.c"])
        self.assertEqual(sorted(self.command("HKEYS", "session:bob")), ["a", "a-c", "abc", "main"])
        places = self.command("GET", "at:bob").split()
        self.assertEqual(sorted(places), ["ms1/a", "ms1/a-c", "ms1/abc", "ms1/main"])


@on_each_redis
class FullMemory(RightsCase):
    """What has to go on, and what is refused as a whole."""

    def test_tokens(self) -> None:
        """Known devices come in by their tokens."""
        self.fill_memory()
        self.assertEqual(self.by_token("alice", "main's")[0], "OK")

    def test_wrong_token(self) -> None:
        """A guess that cannot be counted is no guess: not even whether it was right is told."""
        self.fill_memory()
        self.assert_refused_whole(self.by_token, "alice", "wrong", address="192.0.2.1")

    def test_passwords(self) -> None:
        """Passwords wait for room, or they could be guessed without being counted."""
        self.fill_memory()
        self.assert_refused_whole(self.attempt, "alice", "192.0.2.1")

    def test_a_proof_that_was_under_way(self) -> None:
        """A known device whose password was checked already comes in; a new one leaves nothing."""
        self.fill_memory()
        self.assertEqual(self.by_secret("alice", token="new")[0], "OK")
        self.assert_refused_whole(self.by_secret, "alice", "tablet")

    def test_disabling(self) -> None:
        """An account that fills the memory can be disabled."""
        self.fill_memory()
        self.assertEqual(self.disable("alice"), ["OK", 2])
        self.assert_out("alice", "main")
        self.assertEqual(self.by_token("alice", "main's"), ["DISABLED"])
        self.assertEqual(self.disable("alice", False), ["OK", 0])

    def test_revoking(self) -> None:
        """Stolen devices can be cut off, online or not."""
        self.fenced("session/logout", ["alice", "phone", 2], fence=MS2)
        self.fill_memory()
        self.assertEqual(self.revoke("alice", "main"), ["OK", 1, 1])
        self.assertEqual(self.revoke("alice", "phone"), ["OK", 1, 0])

    def test_another_password(self) -> None:
        """A password that somebody else knows can be changed."""
        self.fill_memory()
        self.assertEqual(self.set_secret("alice"), ["OK", 2])
        self.assertEqual(self.by_token("alice", "main's"), ["AUTH"])

    def test_deleting(self) -> None:
        """An account can be deleted, which makes room; also one that only ever listened."""
        self.said("bob", "alice", "x")
        self.create("alice", "fishing")
        self.said("alice", "#fishing", "y")
        self.fill_memory()
        self.assertEqual(sorted(self.erase("alice")), ["#fishing", AB])
        self.assertEqual(self.command("HGET", "meta:" + AB, "b"), "alice")

    def test_blocking(self) -> None:
        """A block waits for room, as the messages do that it is against; lifting one does not."""
        self.block("alice", "bob")
        self.said("alice", "carol", "x")
        self.fill_memory()
        self.assert_refused_whole(self.relate, "alice", "carol", "b")
        self.assert_refused_whole(self.relate, "bob", "alice", "c")
        self.assertEqual(self.relate("alice", "bob", "b", False), ["OK"])

    def test_lifting_a_block(self) -> None:
        """Also between two who have talked, and who both had shut each other out."""
        self.said("alice", "bob", "x")
        self.block("alice", "bob")
        self.block("bob", "alice")
        self.fill_memory()
        self.assertEqual(self.relate("alice", "bob", "b", False), ["OK"])
        self.assertEqual(self.command("HGET", "meta:" + AB, "b"), "bob")

    def test_decoys(self) -> None:
        """The key of decoys, made once, is found again: without it every login by SCRAM would wait."""
        key = self.decoy_key()
        self.assertEqual(len(key), 32)
        self.fill_memory()
        self.assertEqual(self.decoy_key(), key)

    def test_growth(self) -> None:
        """Everything else that would grow is refused, and nothing of it is there."""
        self.call("accounts/create_invitation", "code", 1, 60_000, "")
        self.fill_memory()
        self.assert_refused_whole(self.enrol, "carol")
        self.assert_refused_whole(self.enrol, "carol", invitation="code")
        self.assert_refused_whole(self.grant, "alice", "bot")
        self.assert_refused_whole(self.call, "accounts/create_invitation", "another", 1, 60_000, "")
        self.assert_refused_whole(self.call, "accounts/set_profile", "alice", "name", "A")
        self.assert_refused_whole(self.call, "accounts/rehash", "alice", "1", "argon", "scram")

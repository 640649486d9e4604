"""Tokens of devices in the store: ``login`` by one or to one, ``grant``, ``bearer``, ``devices``."""

from __future__ import annotations

from typing import Any

from fishchat.test.support.account_runner import ADDRESS, ADDRESS_MOST, MOST, AccountCase
from fishchat.test.support.script_runner import LONG, MS2, on_each_redis


class TokenCase(AccountCase):
    """Alice, who has a device with a token."""

    def setUp(self) -> None:
        """Logged in with her password, once."""
        super().setUp()
        self.enrol("alice")
        self.assertEqual(self.by_secret("alice")[0], "OK")

    def token(self, account: str = "alice", device: str = "main") -> list[str]:
        """Fingerprint, made, used."""
        kept: str = self.command("HGET", "tokens:" + account, device)
        return kept.split()

    def set_used(self, used: int, device: str = "main") -> None:
        """When it was last used, by hand."""
        fingerprint, made, _ = self.token(device=device)
        self.command("HSET", "tokens:alice", device, f"{fingerprint} {made} {used}")


@on_each_redis
class Login(TokenCase):
    """Coming in with a token."""

    def test_after_a_password(self) -> None:
        """The device has the token whose fingerprint the login brought, made and used now."""
        fingerprint, made, used = self.token()
        self.assertEqual((fingerprint, made), ("print", used))
        self.assert_about(int(made), self.now())

    def test_known(self) -> None:
        """The token lets its device in, and stays the same one."""
        self.assertEqual(self.by_token("alice")[:2], ["OK", "ms1 aaaa 1"])
        self.assertEqual(self.token()[0], "print")

    def test_next_password(self) -> None:
        """A login by password ends the device's former token, and no other device's."""
        self.by_secret("alice", "phone", token="phone's")
        self.by_secret("alice", token="new")
        self.assertEqual(self.by_token("alice"), ["AUTH"])
        self.assertEqual(self.by_token("alice", "new")[0], "OK")
        self.assertEqual(self.by_token("alice", "phone's", "phone")[0], "OK")

    def test_bound(self) -> None:
        """A token is good for its own device of its own account, and writes nothing where it is not."""
        self.enrol("bob")
        self.by_secret("bob", token="bob's")
        self.by_secret("alice", "phone", token="phone's")
        before = self.dump()
        for account, token, device in (
            ("alice", "phone's", "main"),
            ("alice", "print", "phone"),
            ("alice", "print", "tablet"),
            ("alice", "bob's", "main"),
            ("bob", "print", "main"),
            ("nobody", "print", "main"),
            ("alice", "prin", "main"),
            ("alice", "print ", "main"),
            ("alice", "", "main"),
        ):
            self.assertEqual(self.by_token(account, token, device), ["AUTH"])
        self.assert_unchanged(before)

    def test_ends_unused(self) -> None:
        """A token that was not used for so long is refused, and the refusal changes nothing."""
        self.set_used(self.now() - LONG)
        before = self.dump()
        self.assertEqual(self.by_token("alice"), ["AUTH"])
        self.assert_unchanged(before)

    def test_lives_by_use(self) -> None:
        """Each login makes it live as long again, however old it is."""
        self.command("HSET", "tokens:alice", "main", f"print 1 {self.now() - LONG + 60_000}")
        self.assertEqual(self.by_token("alice")[0], "OK")
        _, made, used = self.token()
        self.assertEqual(made, "1")
        self.assert_about(int(used), self.now())

    def test_wrong_ones_are_guesses(self) -> None:
        """Wrong tokens use up the share of their address, whether or not there is such an account; right ones never."""
        replies: dict[str, list[Any]] = {}
        for account, address in (("alice", "192.0.2.2"), ("nobody", "192.0.2.3")):
            replies[account] = [self.by_token(account, "wrong", address=address) for _ in range(ADDRESS_MOST)]
            self.assertEqual(self.by_token(account, "wrong", address=address)[0], "FLOOD")
        self.assertEqual(replies["alice"], [["AUTH"]] * ADDRESS_MOST)
        self.assertEqual(replies["alice"], replies["nobody"])
        self.assertEqual(self.by_token("alice", address="192.0.2.2")[0], "OK")

    def test_wrong_ones_lock_nobody_out(self) -> None:
        """The account's own share is not touched by tokens: whoever throws those at it does not stop its password."""
        for number in range(2 * MOST):
            self.by_token("alice", "wrong", address=f"192.0.2.{number}")
        self.assertEqual(self.attempt("alice", ADDRESS)[0], "OK")

    def test_used_up_guesses_do_not_matter(self) -> None:
        """Where no password may be tried any more a token still lets its device in."""
        for _ in range(MOST):
            self.attempt("alice", ADDRESS)
        self.assertEqual(self.attempt("alice", ADDRESS)[0], "FLOOD")
        self.assertEqual(self.by_token("alice", address=ADDRESS)[0], "OK")

    def test_no_proof(self) -> None:
        """A proof of an unknown kind is refused."""
        before = self.dump()
        for proof in (("else", "1"), ("secret", ""), ("secret",), ("",), ()):
            self.assertEqual(self.login("alice", create=False, proof=proof), ["AUTH"])
            self.assertEqual(self.login("nobody", proof=proof), ["AUTH"])
        self.assert_unchanged(before)

    def test_secret_of_nobody(self) -> None:
        """An account that was not there when its secret was asked for does not come in as version nothing."""
        _, _, _, version = self.attempt("nobody")
        self.assertEqual(self.by_secret("nobody", version=version), ["AUTH"])
        self.assertNotIn("account:nobody", self.names())

    def test_device_gives_its_place(self) -> None:
        """A device that was away for long and gives its place to a new one loses its token with it."""
        self.by_secret("alice", "old", token="old's", fence=MS2)
        self.command("HDEL", "session:alice", "old")
        self.command("HSET", "seen:alice", "old", 1)
        self.assertEqual(self.by_secret("alice", "new", devices=2)[0], "OK")
        self.assertEqual(sorted(self.command("HKEYS", "tokens:alice")), ["main", "new"])
        self.assertEqual(self.by_token("alice", "old's", "old"), ["AUTH"])

    def test_no_room(self) -> None:
        """A right password of one device too many changes nothing: not even a token is made."""
        before = self.dump()
        self.assertEqual(self.by_secret("alice", "phone", devices=1), ["DEVICES"])
        self.assert_unchanged(before)


@on_each_redis
class Looking(TokenCase):
    """Whose a token is, and what devices there are."""

    def bearer(self, token: str, account: str = "alice") -> Any:
        """The device, or ''."""
        return self.call("accounts/check_token", account, token, LONG)

    def devices(self) -> dict[str, list[int]]:
        """Device → online, seen, end of its token."""
        flat = self.packed("accounts/devices", "alice", LONG)
        return {flat[start]: flat[start + 1 : start + 4] for start in range(0, len(flat), 4)}

    def test_bearer(self) -> None:
        """The device whose token it is; asking again on the same day writes nothing."""
        self.by_secret("alice", "phone", token="phone's")
        before = self.dump()
        self.assertEqual([self.bearer("print"), self.bearer("phone's"), self.bearer("x")], ["main", "phone", ""])
        self.assertEqual(self.bearer("print", "bob"), "")
        self.assert_unchanged(before)

    def test_bearer_is_a_use(self) -> None:
        """Presenting a token counts as use: a token does not end while it is presented."""
        self.set_used(self.now() - LONG * 2 // 3)
        self.assertEqual(self.bearer("print"), "main")
        self.assertGreater(int(self.token()[2]), self.now() - 60_000)

    def test_bearer_without_right(self) -> None:
        """A token that ended, or of an account that is disabled or deleted, is nobody's."""
        self.disable("alice")
        self.assertEqual(self.bearer("print"), "")
        self.disable("alice", False)
        self.assertEqual(self.bearer("print"), "main")
        _, made, used = self.token()
        self.set_used(self.now() - LONG)
        self.assertEqual(self.bearer("print"), "")
        self.set_used(int(used))
        self.assertEqual(self.bearer("print"), "main")
        self.erase("alice")
        self.assertEqual(self.bearer("print"), "")
        self.assertTrue(made)

    def test_devices(self) -> None:
        """Each device, when it was here and when its token ends: also one that has only a token, or none any more."""
        self.grant("alice", "granted")
        self.by_secret("alice", "away", fence=MS2)
        self.fenced("session/logout", ["alice", "away", 2], fence=MS2)
        self.set_used(self.now() - LONG, "away")
        found = self.devices()
        self.assertEqual(
            {device: (row[0], row[1] > 0, row[2] > 0) for device, row in found.items()},
            {
                "main": (1, True, True),
                "away": (0, True, False),
                "granted": (0, False, True),
            },
        )
        self.assert_about(found["main"][2], self.now() + LONG)

    def test_devices_of_nobody(self) -> None:
        """None."""
        self.assertEqual(self.packed("accounts/devices", "nobody", LONG), [])


@on_each_redis
class Granting(TokenCase):
    """Tokens from the operator."""

    def test_grant(self) -> None:
        """The device comes in with it for the first time, as a new one."""
        self.assertEqual(self.grant("alice", "bot", "bot's"), ["OK"])
        self.assertEqual(self.by_token("alice", "bot's", "bot")[0], "OK")

    def test_another_one(self) -> None:
        """A device has one token: the former one ends."""
        self.assertEqual(self.grant("alice", "main", "new"), ["OK"])
        self.assertEqual(self.by_token("alice"), ["AUTH"])
        self.assertEqual(self.by_token("alice", "new")[0], "OK")

    def test_nobody(self) -> None:
        """Neither for an account that never was nor for one that was deleted."""
        self.erase("alice")
        before = self.dump()
        self.assertEqual([self.grant(account, "bot") for account in ("alice", "bob")], [["NOTFOUND"]] * 2)
        self.assert_unchanged(before)

    def test_limit(self) -> None:
        """Devices count whether they came or have a token only; those that are there can be given another one."""
        self.login("alice", "second", create=False)
        self.assertEqual(self.grant("alice", "third", most=3), ["OK"])
        before = self.dump()
        self.assertEqual(self.grant("alice", "fourth", most=3), ["DEVICES"])
        self.assert_unchanged(before)
        for device in ("main", "second", "third"):
            self.assertEqual(self.grant("alice", device, most=3), ["OK"])

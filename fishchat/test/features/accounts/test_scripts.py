"""Accounts and their secrets in the store: ``enrol``, ``offer``, ``profile``, ``attempt``, ``secret``, ``harden``."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fishchat.test.support.account_runner import ADDRESS, ADDRESS_EACH, ADDRESS_MOST, EACH, MOST, AccountCase
from fishchat.test.support.script_runner import PROPERTY, on_each_redis


@on_each_redis
class Making(AccountCase):
    """New accounts."""

    def offer(self, uses: int, account: str = "", code: str = "code") -> None:
        """An invitation."""
        self.assertEqual(self.call("accounts/create_invitation", code, uses, EACH, account), ["OK"])

    def test_made(self) -> None:
        """What was given is kept; the secret has version 1."""
        self.assertEqual(self.enrol("alice", name="Alice A.", privacy="contacts"), ["OK"])
        fields = self.command("HGETALL", "account:alice")
        kept = dict(zip(fields[::2], fields[1::2], strict=True))
        self.assert_about(int(kept.pop("created")), self.now())
        wanted = {"version": "1", "argon": "argon", "scram": "scram", "name": "Alice A.", "privacy": "contacts"}
        self.assertEqual(kept, wanted)

    def test_without_a_password(self) -> None:
        """An account may begin with no secret at all; then nothing is found to check one by."""
        self.enrol("alice", argon="")
        self.assertEqual(self.attempt("alice"), ["OK", "", "", "1"])

    def test_taken(self) -> None:
        """A name is taken once, and the account that has it is left as it is."""
        self.enrol("alice")
        before = self.dump()
        self.assertEqual(self.enrol("alice", argon="another"), ["EXISTS"])
        self.assert_unchanged(before)

    def test_deleted_names_stay_taken(self) -> None:
        """Nobody comes back under the name of somebody who is gone, whichever way."""
        self.enrol("alice")
        self.erase("alice")
        self.assertEqual(self.enrol("alice"), ["EXISTS"])
        self.assertEqual(self.login("alice"), ["AUTH"])

    def test_name_of_the_server(self) -> None:
        """Nobody gets the name that stands for the server in notices; an account that has it already goes on."""
        before = self.dump()
        self.assertEqual(self.enrol("-"), ["BADNAME"])
        self.assertEqual(self.call("accounts/create_invitation", "code", 1, EACH, "-"), ["BADNAME"])
        self.assertEqual(self.login("-", create=True), ["BADNAME"])
        self.assert_unchanged(before)
        self.command("HSET", "account:-", "created", 1)
        self.assertEqual(self.login("-", create=True)[0], "OK")

    def test_invitation_needed(self) -> None:
        """Where one is needed nobody signs up without, or with one that was never made."""
        before = self.dump()
        self.assertEqual(self.enrol("alice", needed=True), ["INVITATION"])
        self.assertEqual(self.enrol("alice", needed=True, invitation="another"), ["INVITATION"])
        self.assert_unchanged(before)

    def test_bad_invitation_where_none_is_needed(self) -> None:
        """An invalid invitation is refused although none is needed."""
        self.assertEqual(self.enrol("alice", invitation="another"), ["INVITATION"])

    def test_uses_are_counted(self) -> None:
        """So many accounts and no more; nothing is left of an invitation that is used up."""
        self.offer(2)
        self.assertEqual(self.enrol("alice", needed=True, invitation="code"), ["OK"])
        self.assertEqual(self.command("HGET", "invitation:code", "uses"), "1")
        self.assertEqual(self.enrol("bob", needed=True, invitation="code"), ["OK"])
        self.assertEqual(self.enrol("carol", needed=True, invitation="code"), ["INVITATION"])
        self.assertNotIn("invitation:code", self.names())

    def test_a_taken_name_uses_nothing_up(self) -> None:
        """An invitation is for an account that is made."""
        self.enrol("alice")
        self.offer(1)
        self.assertEqual(self.enrol("alice", needed=True, invitation="code"), ["EXISTS"])
        self.assertEqual(self.enrol("bob", needed=True, invitation="code"), ["OK"])

    def test_for_one_name(self) -> None:
        """An invitation for alice is good for no other name, and that costs it no use."""
        self.offer(1, "alice")
        self.assertEqual(self.enrol("bob", needed=True, invitation="code"), ["INVITATION"])
        self.assertEqual(self.enrol("alice", needed=True, invitation="code"), ["OK"])

    def test_invitations_end(self) -> None:
        """An invitation is gone after its time; using it does not make it last longer."""
        self.offer(3)
        self.assertTrue(0 < self.command("PTTL", "invitation:code") <= EACH)
        self.enrol("alice", invitation="code")
        self.assertTrue(0 < self.command("PTTL", "invitation:code") <= EACH)

    def test_profile(self) -> None:
        """What an account says of itself can be changed and removed, while there is such an account."""
        profile = "accounts/set_profile"
        self.assertEqual(self.call(profile, "alice", "name", "A"), ["NOTFOUND"])
        self.enrol("alice", name="A")
        self.assertEqual(self.call(profile, "alice", "name", "B"), ["OK"])
        self.assertEqual(self.call("accounts/status", "bob", "alice"), [0, 0, "B"])
        self.assertEqual(self.call(profile, "alice", "name", ""), ["OK"])
        self.assertEqual(self.call("accounts/status", "bob", "alice"), [0, 0, ""])
        self.erase("alice")
        self.assertEqual(self.call(profile, "alice", "name", "C"), ["NOTFOUND"])

    def test_portrait(self) -> None:
        """The operator sees counts, and whether there is a password; a deleted account is not one that never was."""
        portrait = "accounts/describe"
        self.assertEqual(self.call(portrait, "alice"), "NOTFOUND")
        self.enrol("alice", name="A")
        self.relate("alice", "bob", "b")
        self.relate("alice", "carol", "c")
        self.by_secret("alice")
        self.create("alice", "fishing")
        self.assertEqual(self.call(portrait, "alice")[1:], ["", "A", "", 1, 1, 1, 1, 1, 1, 1])
        self.erase("alice")
        self.assertEqual(self.call(portrait, "alice"), "DELETED")


@on_each_redis
class Guesses(AccountCase):
    """How often a secret may be wrong, of one account and from one address."""

    def setUp(self) -> None:
        """One account."""
        super().setUp()
        self.enrol("alice")

    def use_up(self, account: str, address: str = "") -> None:
        """All guesses of an account at once."""
        for _ in range(MOST):
            self.assertEqual(self.attempt(account, address)[0], "OK")

    def use_up_address(self) -> None:
        """All guesses of the address, for many accounts."""
        for number in range(ADDRESS_MOST):
            self.assertEqual(self.attempt(f"account{number}", ADDRESS)[0], "OK")

    def wait_of(self, reply: Any) -> int:
        """How long a refused attempt has to wait."""
        word, wait = reply
        self.assertEqual(word, "FLOOD")
        self.assertTrue(0 < wait <= EACH, wait)
        return int(wait)

    def test_what_is_given(self) -> None:
        """The two hashes and the version of the secret; for an account that is not there nothing, in the same shape."""
        self.assertEqual(self.attempt("alice"), ["OK", "argon", "scram", "1"])
        self.assertEqual(self.attempt("nobody"), ["OK", "", "", ""])

    def test_account(self) -> None:
        """From however many addresses, an account's secret is guessed so often and no more."""
        for number in range(MOST):
            self.assertEqual(self.attempt("alice", f"192.0.2.{number}")[0], "OK")
        self.wait_of(self.attempt("alice", ADDRESS))

    def test_address(self) -> None:
        """Of however many accounts, so often from one address, which has several times the share of an account."""
        self.use_up_address()
        self.assertLessEqual(self.wait_of(self.attempt("alice", ADDRESS)), ADDRESS_EACH)
        self.assertGreater(ADDRESS_MOST, 3 * MOST)

    def test_others(self) -> None:
        """Other accounts do not notice, at the same address or at another one."""
        self.use_up("alice", ADDRESS)
        self.wait_of(self.attempt("alice", ADDRESS))
        for address in (ADDRESS, "192.0.2.2"):
            self.assertEqual(self.attempt("bob", address)[0], "OK")

    def test_refused_writes_nothing(self) -> None:
        """Both shares are taken from or neither: asking on costs nobody anything, whichever of the two is used up."""
        self.use_up("alice")
        self.use_up_address()
        before = self.dump()
        self.wait_of(self.attempt("alice", "192.0.2.2"))
        self.wait_of(self.attempt("bob", ADDRESS))
        self.assert_unchanged(before)

    def test_fills_again(self) -> None:
        """One more guess each minute, until the share is whole."""
        self.command("SET", "guesses:alice", self.now() + MOST * EACH)
        self.wait_of(self.attempt("alice"))
        self.command("SET", "guesses:alice", self.now() + (MOST - 1) * EACH)
        self.assertEqual(self.attempt("alice")[0], "OK")
        self.wait_of(self.attempt("alice"))
        self.command("SET", "guesses:alice", self.now() - 10 * EACH)
        self.use_up("alice")
        self.wait_of(self.attempt("alice"))

    def test_whole_shares_take_no_memory(self) -> None:
        """The key ends at the moment at which its share is whole."""
        for taken in range(1, MOST + 1):
            self.attempt("alice", ADDRESS)
            for key, each in (("guesses:alice", EACH), ("guesses:@" + ADDRESS, ADDRESS_EACH)):
                full = int(self.command("GET", key)) - self.now()
                self.assert_about(self.command("PTTL", key), full)
                self.assertTrue((taken - 1) * each < full <= taken * each)

    def test_given_back(self) -> None:
        """A guess that came to nothing is whole again, in both shares; with none taken nothing is written."""
        self.attempt("alice", ADDRESS)
        for _ in range(3 * MOST):
            self.assertEqual(self.attempt("alice", ADDRESS)[0], "OK")
            self.give_back("alice", ADDRESS)
        self.give_back("alice", ADDRESS)
        before = self.dump()
        self.give_back("alice", ADDRESS)
        self.give_back("alice")
        self.assert_unchanged(before)
        self.assertFalse({key for key in self.names() if key.startswith("guesses")})

    def test_exempt_address(self) -> None:
        """An address without a name is not counted; the account is."""
        self.use_up("alice", "")
        self.assertEqual(self.names() & {"guesses:@", "guesses:"}, set())
        self.wait_of(self.attempt("alice", ""))

    def test_without_limit(self) -> None:
        """Where nothing is limited nothing is written."""
        before = self.dump()
        for _ in range(3 * MOST):
            self.assertEqual(self.attempt("alice", ADDRESS, 0)[0], "OK")
        self.assert_unchanged(before)

    def test_nobody_leaves_the_same_traces(self) -> None:
        """Known or unknown: the same keys for as long, and the same refusal."""
        kinds = []
        for account, address in (("alice", "192.0.2.2"), ("nobody", "192.0.2.3")):
            before = self.names()
            self.use_up(account, address)
            made = self.names() - before
            ends = sorted(round(self.command("PTTL", key), -4) for key in made)
            kinds.append((sorted(key.replace(account, "x").replace(address, "y") for key in made), ends))
            self.wait_of(self.attempt(account, address))
        self.assertEqual(kinds[0], kinds[1])

    def test_success_gives_back(self) -> None:
        """A right secret makes its account's share whole, and gives one guess back to its address."""
        for _ in range(MOST - 1):
            self.attempt("alice", ADDRESS)
        before = int(self.command("GET", "guesses:@" + ADDRESS))
        self.attempt("alice", ADDRESS)
        self.assertEqual(self.by_secret("alice", address=ADDRESS)[0], "OK")
        self.assertNotIn("guesses:alice", self.names())
        self.assertEqual(int(self.command("GET", "guesses:@" + ADDRESS)), before)

    def test_last_one_given_back(self) -> None:
        """Nothing is left where nothing else was taken; also when the share has become whole meanwhile."""
        self.attempt("alice", ADDRESS)
        self.by_secret("alice", address=ADDRESS)
        self.assertEqual([key for key in self.names() if key.startswith("guesses")], [])
        self.by_secret("alice", address=ADDRESS)
        self.assertEqual([key for key in self.names() if key.startswith("guesses")], [])

    def test_own_account_is_no_key_to_others(self) -> None:
        """Logging in to one's own account between two guesses gives none of those guesses back."""
        self.enrol("mallory")
        for number in range(ADDRESS_MOST - 1):
            self.assertEqual(self.attempt(f"account{number}", ADDRESS)[0], "OK")
            self.assertEqual(self.attempt("mallory", ADDRESS)[0], "OK")
            self.by_secret("mallory", address=ADDRESS)
        self.attempt("alice", ADDRESS)
        self.wait_of(self.attempt("mallory", ADDRESS))
        self.wait_of(self.attempt("bob", ADDRESS))

    def test_refused_login_gives_nothing_back(self) -> None:
        """A login that came to nothing was a guess."""
        self.attempt("alice", ADDRESS)
        before = self.dump()
        self.assertEqual(self.by_secret("alice", version="2", address=ADDRESS), ["AUTH"])
        self.assert_unchanged(before)

    @PROPERTY
    @given(
        st.lists(st.tuples(st.sampled_from(["alice", "bob", "nobody"]), st.sampled_from(["", "1", "2"])), max_size=40)
    )
    def test_any_order(self, attempts: list[tuple[str, str]]) -> None:
        """For every order of guesses: a budget allows as many as it has; an attempt uses both budgets or neither."""
        self.empty()
        self.enrol("alice")
        taken: Counter[str] = Counter()
        most = {"1": 7, "2": 7}
        for account, address in attempts:
            shares = [share for share in (account, address) if share]
            allowed = all(taken[share] < most.get(share, MOST) for share in shares)
            reply = self.call("session/begin_guess", account, address, MOST, EACH, 7, EACH)
            self.assertEqual(reply[0], "OK" if allowed else "FLOOD")
            if allowed:
                taken.update(shares)

    def test_clock_put_back(self) -> None:
        """However far ahead the stored moment is, nothing fails, and the key still ends by itself."""
        self.command("SET", "guesses:alice", self.now() + 100 * EACH, "PX", 1000)
        self.assertEqual(self.attempt("alice")[0], "FLOOD")
        self.assertTrue(0 < self.command("PTTL", "guesses:alice") <= 1000)


@on_each_redis
class SignUps(AccountCase):
    """How many accounts an address creates, and how often an account changes its password."""

    def signed_up(self) -> dict[str, int]:
        """The budgets that something was taken from, with the ms until they are full."""
        keys = [key for key in self.names() if key.startswith(("guesses:", "signups:", "changes:"))]
        return {key: int(self.command("GET", key)) - self.now() for key in keys}

    def test_own_budget(self) -> None:
        """Sign-ups have a budget of their own, and take no guess; beyond it, SIGNUPS says how long to wait."""
        for number in range(3):
            self.assertEqual(self.begin_sign_up(f"a{number}", most=3), ["OK"])
        word, wait = self.begin_sign_up("another", most=3)
        self.assertEqual(word, "SIGNUPS")
        self.assertTrue(0 < wait <= EACH)
        self.assertEqual(list(self.signed_up()), ["signups:" + ADDRESS])
        self.assertEqual(self.begin_sign_up("another", address="192.0.2.2", most=3), ["OK"])

    def test_invalid(self) -> None:
        """An invitation that is wrong, and a name that is taken, are guesses of the address and no sign-ups."""
        self.enrol("alice")
        for account, invitation, needed, word in (
            ("bob", "wrong", False, "INVITATION"),
            ("bob", "", True, "INVITATION"),
            ("alice", "", False, "EXISTS"),
        ):
            self.assertEqual(self.begin_sign_up(account, invitation, needed=needed), [word])
        self.assertEqual(list(self.signed_up()), ["guesses:@" + ADDRESS])

    def test_an_invitation_is_checked_first(self) -> None:
        """A used-up invitation is INVITATION while the address has guesses, whatever its sign-ups; then FLOOD."""
        self.begin_sign_up("a", most=1)
        for _ in range(ADDRESS_MOST):
            self.assertEqual(self.begin_sign_up("bob", "used", needed=True, most=1), ["INVITATION"])
        word, wait = self.begin_sign_up("bob", "used", needed=True)
        self.assertEqual(word, "FLOOD")
        self.assertTrue(0 < wait <= ADDRESS_EACH)

    def test_a_valid_invitation_needs_no_guess(self) -> None:
        """Where others have used up the guesses of an address, a person with an invitation signs up all the same."""
        for number in range(ADDRESS_MOST):
            self.attempt(f"account{number}", ADDRESS)
        self.assertEqual(self.call("accounts/create_invitation", "code", 1, EACH, ""), ["OK"])
        self.assertEqual(self.begin_sign_up("bob", "code", needed=True), ["OK"])

    def test_not_counted(self) -> None:
        """Nothing is written for an exempt address, and without limits."""
        before = self.dump()
        for address, most in (("", 40), (ADDRESS, 0)):
            for _ in range(3):
                self.assertEqual(self.begin_sign_up("bob", address=address, most=most), ["OK"])
                self.assertEqual(self.begin_sign_up("bob", "x", address=address, most=most), ["INVITATION"])
        self.assert_unchanged(before)

    def test_changes(self) -> None:
        """An account changes its password so often and no more; other accounts do not notice."""
        for _ in range(MOST):
            self.assertEqual(self.call("accounts/begin_change", "alice", MOST, EACH), ["OK"])
        self.assertEqual(self.call("accounts/begin_change", "alice", MOST, EACH)[0], "FLOOD")
        self.assertEqual(self.call("accounts/begin_change", "bob", MOST, EACH), ["OK"])
        self.assertEqual(self.call("accounts/begin_change", "alice", 0, EACH), ["OK"])

    def test_given_back(self) -> None:
        """A sign-up or a change for which there was no time to hash is whole again."""
        self.begin_sign_up("alice")
        self.call("accounts/begin_change", "bob", MOST, EACH)
        self.assertEqual(len(self.signed_up()), 2)
        self.assertEqual(self.call("accounts/refund", ADDRESS, "", EACH), "OK")
        self.assertEqual(self.call("accounts/refund", "", "bob", EACH), "OK")
        self.assertEqual(self.signed_up(), {})


@on_each_redis
class Secret(AccountCase):
    """Another password, and another hash of the same one."""

    def setUp(self) -> None:
        """One account on two devices."""
        super().setUp()
        self.enrol("alice")
        self.by_secret("alice", "main", token="one")
        self.by_secret("alice", "phone", token="two")

    def test_by_its_owner(self) -> None:
        """All tokens and sessions end but those of the device that asked."""
        session = self.command("HGET", "session:alice", "main")
        self.assertEqual(self.set_secret("alice", "main", session), ["OK", 1])
        self.assertEqual(self.command("HKEYS", "tokens:alice"), ["main"])
        self.assertEqual(self.command("HKEYS", "session:alice"), ["main"])
        self.assertEqual(self.attempt("alice"), ["OK", "argon2", "scram2", "2"])
        self.assertEqual(self.by_token("alice", "two", "phone"), ["AUTH"])
        self.assertEqual(self.by_token("alice", "one")[0], "OK")

    def test_by_the_operator(self) -> None:
        """All tokens and sessions end."""
        self.assertEqual(self.set_secret("alice"), ["OK", 2])
        self.assertEqual(self.command("EXISTS", "tokens:alice", "session:alice", "at:alice"), 0)

    def test_session_that_is_over(self) -> None:
        """A session that was ended meanwhile, for any reason, changes nothing."""
        session = self.command("HGET", "session:alice", "main")
        self.by_token("alice", "one")
        before = self.dump()
        self.assertEqual(self.set_secret("alice", "main", session), ["STATE"])
        self.assertEqual(self.set_secret("alice", "tablet", session), ["STATE"])
        self.assert_unchanged(before)

    def test_no_account(self) -> None:
        """There is nothing to set for an account that is not there, or not any more."""
        self.assertEqual(self.set_secret("bob"), ["NOTFOUND"])
        self.erase("alice")
        before = self.dump()
        self.assertEqual(self.set_secret("alice"), ["NOTFOUND"])
        self.assert_unchanged(before)

    def test_guesses_begin_anew(self) -> None:
        """Wrong guesses at the old password do not lock its owner out of the new one."""
        for _ in range(MOST):
            self.attempt("alice")
        self.set_secret("alice")
        self.assertEqual(self.attempt("alice")[0], "OK")

    def test_changed_while_it_was_proved(self) -> None:
        """A client that proved the old password before the change cannot log in after it."""
        _, _, _, version = self.attempt("alice")
        self.set_secret("alice")
        before = self.dump()
        self.assertEqual(self.by_secret("alice", version=version), ["AUTH"])
        self.assert_unchanged(before)
        self.assertEqual(self.by_secret("alice", version="2")[0], "OK")

    def test_harden(self) -> None:
        """A new hash of the same secret changes no version; logins that were on the way come in."""
        self.assertEqual(self.call("accounts/rehash", "alice", "1", "hard", "hard"), 1)
        self.assertEqual(self.attempt("alice"), ["OK", "hard", "hard", "1"])
        self.assertEqual(self.by_secret("alice")[0], "OK")

    def test_harden_too_late(self) -> None:
        """A hash of a password that was changed meanwhile, or whose account is gone, is not stored."""
        self.set_secret("alice")
        self.assertEqual(self.call("accounts/rehash", "alice", "1", "hard", "hard"), 0)
        self.assertEqual(self.attempt("alice")[1:3], ["argon2", "scram2"])
        self.erase("alice")
        before = self.dump()
        for version in ("2", "", "1"):
            self.assertEqual(self.call("accounts/rehash", "alice", version, "hard", "hard"), 0)
        self.assert_unchanged(before)


class Codes(AccountCase):
    """Codes with which one device comes in."""

    def make(self, account: str = "alice", code: str = "code") -> Any:
        """Create a code. Returns ``[OK]`` or the refusal."""
        return self.call("accounts/create_code", code, account, EACH)

    def redeem(
        self, account: str = "alice", device: str = "phone", code: str = "code", address: str = ADDRESS, most: int = 10
    ) -> Any:
        """Redeem a code for the token ``mark``. Returns ``[OK]`` or the refusal."""
        budget = (ADDRESS_MOST, ADDRESS_EACH)
        return self.call("accounts/redeem_code", code, account, device, "mark", most, address, *budget)

    def test_once(self) -> None:
        """It lets in one device, which then logs in by its token; nothing is left of it."""
        self.enrol("alice")
        self.assertEqual(self.make(), ["OK"])
        self.assertTrue(0 < self.command("PTTL", "code:code") <= EACH)
        self.assertEqual(self.redeem(), ["OK"])
        self.assertNotIn("code:code", self.names())
        self.assertEqual(self.by_token("alice", "mark", "phone")[0], "OK")
        self.assertEqual(self.redeem(device="laptop"), ["AUTH"])

    def test_unknown_account(self) -> None:
        """There is none for an account that is not there, or was deleted."""
        self.assertEqual(self.make(), ["NOTFOUND"])
        self.enrol("alice")
        self.erase("alice")
        self.assertEqual(self.make(), ["NOTFOUND"])

    def test_expired(self) -> None:
        """After its time it is as wrong as one that was never made."""
        self.enrol("alice")
        self.call("accounts/create_code", "code", "alice", 1)
        self.command("PEXPIRE", "code:code", 0)
        self.assertEqual(self.redeem(), ["AUTH"])

    def test_wrong(self) -> None:
        """Whatever is wrong has one answer, changes no account, and leaves the code to its owner."""
        self.enrol("alice")
        self.enrol("bob")
        self.make()
        before = self.dump()
        for account, code in (("bob", "code"), ("alice", "other"), ("nobody", "code")):
            self.assertEqual(self.redeem(account, code=code, address=""), ["AUTH"])
        self.assert_unchanged(before)
        self.assertEqual(self.redeem(), ["OK"])

    def test_ended_with_the_account(self) -> None:
        """A disabled account, a deleted one and one with another password have no codes."""
        for account in ("alice", "bob", "carol"):
            self.enrol(account)
            self.make(account, account)
        self.call("accounts/disable", "alice", True)
        self.erase("bob")
        self.call("accounts/set_password", "carol", "argon", "scram", "", "")
        for account in ("alice", "bob", "carol"):
            self.assertEqual(self.redeem(account, code=account), ["AUTH"])

    def test_devices(self) -> None:
        """The limit of devices holds, and refusing by it leaves the code; a known device needs no room."""
        self.enrol("alice")
        self.by_secret("alice", "laptop")
        self.make()
        self.assertEqual(self.redeem(most=1), ["DEVICES"])
        self.assertEqual(self.redeem(device="laptop", most=1), ["OK"])

    def test_guesses(self) -> None:
        """A wrong code is a guess of its address; a right one is accepted all the same."""
        self.enrol("alice")
        self.make()
        for _ in range(ADDRESS_MOST):
            self.assertEqual(self.redeem(code="other"), ["AUTH"])
        word, wait = self.redeem(code="other")
        self.assertEqual(word, "FLOOD")
        self.assertTrue(0 < wait <= ADDRESS_EACH)
        self.assertEqual(self.redeem(code="other", address=""), ["AUTH"])
        self.assertEqual(self.redeem(), ["OK"])

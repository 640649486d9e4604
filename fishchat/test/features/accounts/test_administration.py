"""``Accounts``: what the operator does to the store, where that is more than one script."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import TestCase

from fishchat.errors import Refusal
from fishchat.features.accounts import administration as module
from fishchat.features.accounts.administration import ID_DIGITS, Accounts, Erased
from fishchat.model.secrets.passwords import Verifier
from fishchat.model.secrets.tokens import fingerprint
from fishchat.storage.packing import days_in_ms
from fishchat.storage.redis import Connection, Script, Unavailable, parse_url
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.script_runner import MS2, Said

TOKEN_DAYS = 30
VERIFIER = Verifier(b"argon", b"scram")


class AccountsCase(AccountCase, TestCase):
    """An empty store, ``Accounts`` on a connection to it, and scripts as msg_servers call them."""

    timeout = 20

    def setUp(self) -> Deferred[None]:  # type: ignore[override]
        """Connected."""
        super().setUp()
        self.connection = Connection(parse_url(self.server.url))
        self.accounts = Accounts(self.connection, TOKEN_DAYS)
        self.connection.startService()
        self.addCleanup(self.connection.stopService)
        return self.connection.when_connected()

    async def refused(self, word: str, call: Any) -> Refusal:
        """It fails with that word."""
        refusal: Refusal = await self.assertFailure(Deferred.fromCoroutine(call), Refusal)
        self.assertEqual(refusal.word, word)
        return refusal

    async def add(self, *names: str) -> None:
        """New accounts with a password, each of which is online at the first server."""
        for name in names:
            await self.accounts.add(name.encode(), VERIFIER)
            self.assertEqual(self.by_secret(name)[0], "OK")


class Listing(AccountsCase):
    """Which accounts there are."""

    async def test_names(self) -> None:
        """Each name that is taken, once, whatever else is in the store; also more than one page of them."""
        self.patch(module, "_PAGE", 10)
        names = {f"user{n}" for n in range(60)}
        for name in names:
            await self.accounts.add(name.encode(), None)
        await self.accounts.erase(b"user7")
        found = [name.decode() async for name in self.accounts.names()]
        self.assertEqual(len(found), 60)
        self.assertEqual(set(found), names)
        portraits = await self.accounts.all()
        self.assertEqual([portrait.account for portrait in portraits], sorted(names - {"user7"}))

    async def test_portraits(self) -> None:
        """The list says of each what is said of it alone; a device with nothing but a token counts as one."""
        await self.add("bob", "alice")
        await self.accounts.set_name(b"alice", "Älice".encode())
        await self.accounts.grant(b"alice", b"lamp", 10)
        await self.accounts.disable(b"bob")
        alice, bob = await self.accounts.all()
        self.assertEqual(alice, await self.accounts.show(b"alice"))
        self.assertEqual((alice.account, alice.name, alice.online, alice.devices), ("alice", "Älice", 1, 2))
        self.assertEqual(len(await self.accounts.devices(b"alice")), alice.devices)
        self.assertEqual((bob.online, bob.disabled > 0), (0, True))

    async def test_store_away(self) -> None:
        """When the connection ends meanwhile the list fails as a whole."""
        await self.add("alice")
        await self.connection.stopService()
        await self.assertFailure(Deferred.fromCoroutine(self.accounts.all()), Unavailable)


class Tokens(AccountsCase):
    """What is a token's use outside of a login."""

    async def test_check(self) -> None:
        """A token is its account's alone, of one device, until another is granted."""
        await self.add("alice", "bob")
        token = await self.accounts.grant(b"alice", b"lamp", 10)
        self.assertEqual(await self.accounts.check_token(b"alice", token), b"lamp")
        self.assertIsNone(await self.accounts.check_token(b"bob", token))
        self.assertIsNone(await self.accounts.check_token(b"nobody", token))
        self.assertIsNone(await self.accounts.check_token(b"alice", token[:-1]))
        again = await self.accounts.grant(b"alice", b"lamp", 10)
        self.assertIsNone(await self.accounts.check_token(b"alice", token))
        self.assertEqual(await self.accounts.check_token(b"alice", again), b"lamp")

    async def test_disabled(self) -> None:
        """Of a disabled account no token is good, and all are again when it is enabled; of a deleted one none ever."""
        await self.add("alice")
        token = await self.accounts.grant(b"alice", b"lamp", 10)
        self.assertEqual(await self.accounts.disable(b"alice"), 1)
        self.assertIsNone(await self.accounts.check_token(b"alice", token))
        await self.accounts.enable(b"alice")
        self.assertEqual(await self.accounts.check_token(b"alice", token), b"lamp")
        await self.accounts.erase(b"alice")
        self.assertIsNone(await self.accounts.check_token(b"alice", token))

    async def test_expiry(self) -> None:
        """A token ends so many days after it was last used; to be shown is a use, to be listed is none."""
        await self.add("alice")
        token = await self.accounts.grant(b"alice", b"lamp", 10)
        now, life = self.now(), days_in_ms(TOKEN_DAYS)
        for used, good in ((now - life + 60_000, True), (now - life - 1, False)):
            self.command("HSET", "tokens:alice", "lamp", f"{fingerprint(token).decode()} 1 {used}")
            for shown in (False, True):
                if shown:
                    self.assertEqual(await self.accounts.check_token(b"alice", token) == b"lamp", good)
                [lamp] = [device for device in await self.accounts.devices(b"alice") if device.device == "lamp"]
                self.assertEqual(lamp.token_ends > now + 60_000 if shown else lamp.token_ends == used + life, good)

    async def test_password(self) -> None:
        """A new password ends all tokens and sessions, and says how many sessions; the old one's version is over."""
        await self.add("alice")
        self.by_secret("alice", "phone", token="other", fence=MS2)
        token = await self.accounts.grant(b"alice", b"lamp", 10)
        self.assertEqual(await self.accounts.set_password(b"alice", VERIFIER), 2)
        self.assertIsNone(await self.accounts.check_token(b"alice", token))
        self.assertEqual(self.by_secret("alice", version="1"), ["AUTH"])
        self.assertEqual(self.by_secret("alice", version="2")[0], "OK")

    async def test_no_such_account(self) -> None:
        """What concerns an account that is not there, or not any more, is refused."""
        await self.add("gone")
        await self.accounts.erase(b"gone")
        accounts = self.accounts
        for name in (b"nobody", b"gone"):
            for call in (
                accounts.show(name),
                accounts.disable(name),
                accounts.enable(name),
                accounts.set_name(name, b"N"),
                accounts.set_password(name, VERIFIER),
                accounts.grant(name, b"lamp", 10),
                accounts.revoke(name),
            ):
                await self.refused("NOTFOUND", call)
            self.assertEqual(await accounts.devices(name), [])
        self.assertIn("was deleted", (await self.refused("NOTFOUND", accounts.show(b"gone"))).text)
        await self.refused("NOTFOUND", accounts.erase(b"nobody"))
        await self.refused("EXISTS", accounts.add(b"gone", VERIFIER))


class Invitations(AccountsCase):
    """Codes for sign-ups."""

    async def test_list(self) -> None:
        """Each that can be used, the first to end in front; used up or withdrawn ones are gone. No code is kept."""
        await self.add("bob")
        later = await self.accounts.invite(2, 7)
        sooner = await self.accounts.invite(1, 1, b"carol")
        first, second = await self.accounts.invitations()
        self.assertEqual((first.account, first.uses, second.account, second.uses), ("carol", 1, "", 2))
        self.assertEqual(first.id, fingerprint(sooner).decode()[:ID_DIGITS])
        self.assert_about(first.ends, self.now() + days_in_ms(1))
        self.assert_about(second.made, self.now())
        self.assertEqual(self.enrol("dave", invitation=fingerprint(later).decode(), needed=True), ["OK"])
        self.assertEqual(self.enrol("carol", invitation=fingerprint(sooner).decode(), needed=True), ["OK"])
        [left] = await self.accounts.invitations()
        self.assertEqual((left.id, left.uses), (second.id, 1))
        await self.accounts.withdraw(left.id.encode())
        self.assertEqual(await self.accounts.invitations(), [])
        self.assertEqual(self.enrol("erin", invitation=fingerprint(later).decode(), needed=True), ["INVITATION"])

    async def test_withdraw(self) -> None:
        """Only the one that is meant: nothing shorter, no pattern, none that is not there."""
        code = await self.accounts.invite(1, 1)
        mark = fingerprint(code)
        for wrong in (b"", mark[: ID_DIGITS - 1], b"*" * ID_DIGITS, mark[: ID_DIGITS - 1] + b"?", b"0" * ID_DIGITS):
            await self.refused("NOTFOUND", self.accounts.withdraw(wrong))
        await self.accounts.withdraw(mark)
        await self.refused("NOTFOUND", self.accounts.withdraw(mark))

    async def test_taken_name(self) -> None:
        """For a name that is taken, or was, there is none."""
        await self.add("alice", "bob")
        await self.accounts.erase(b"bob")
        for name in (b"alice", b"bob"):
            await self.refused("EXISTS", self.accounts.invite(1, 1, name))
        self.assertEqual(await self.accounts.invitations(), [])


class Erasing(AccountsCase):
    """What is left of a deleted account."""

    async def furnish(self) -> None:
        """Alice talks everywhere: with others and herself, in topics of hers and of others, in one that she left."""
        await self.add("alice", "bob", "carol")
        self.by_secret("alice", "phone", token="other", fence=MS2)
        self.said("alice", "bob", "a1", 1)
        self.said("bob", "alice", "b1")
        self.said("alice", "bob", "a2", 2)
        self.said("carol", "alice", "c1")
        self.said("alice", "alice", "note")
        for topic in ("passed", "ended"):
            self.create("alice", topic)
            self.said("alice", "#" + topic, "mine")
        self.create("bob", "others")
        self.create("bob", "left")
        # In another order than that of the alphabet: who has been there longest is the heir.
        self.said("alice", "#passed", "more")
        self.join("carol", "passed")
        self.said("carol", "#passed", "hers")
        self.join("bob", "passed")
        for topic in ("others", "left"):
            self.join("alice", topic)
            self.said("bob", "#" + topic, "his")
            self.said("alice", "#" + topic, "mine")
        self.leave("alice", "left")
        self.invite("bob", "left", "alice")
        self.create("bob", "asked", "invitation")
        self.invite("bob", "asked", "alice")
        self.ack("alice", "alice+bob", "7-2")
        self.relate("alice", "bob", "c")

    #: What ``furnish`` leaves to erase.
    ALL = Erased(
        messages=8,
        conversations=8,
        memberships=3,
        topics_passed_on=1,
        topics_ended=1,
        devices=2,
        tokens=2,
        sessions=2,
    )

    def assert_erased(self) -> None:
        """Of alice the name is left, and what others have said."""
        self.assertEqual(self.log("alice+bob"), [("7-2", "b1")])
        self.assertEqual(self.log("alice+carol"), [("7-1", "c1")])
        self.assertEqual(self.log("#passed"), [("7-3", "hers")])
        self.assertEqual(self.log("#others"), [("7-1", "his")])
        self.assertEqual(self.log("#left"), [("7-1", "his")])
        self.assertEqual(self.log("#ended"), [])
        self.assertEqual(self.command("HGET", "topic:#passed", "owner"), "carol")
        self.assertEqual(self.command("EXISTS", "topic:#ended", "members:#ended"), 0)
        self.assertEqual(sorted(self.command("HKEYS", "members:#passed")), ["bob", "carol"])
        self.assertEqual(self.command("HKEYS", "members:#others"), ["bob"])
        self.assertEqual(self.command("HKEYS", "account:alice"), ["deleted"])
        self.assertEqual(self.command("EXISTS", "invited:#left", "invited:#asked"), 0)
        left = {name for name in self.names() if "alice" in name}
        p2p = {f"{kind}:alice+{peer}" for kind in ("log", "meta") for peer in ("bob", "carol")}
        self.assertEqual(left, {"account:alice", "quiet:alice+bob", *p2p})
        for meta in [name for name in self.names() if name.startswith("meta:")]:
            fields = self.command("HKEYS", meta)
            self.assertEqual([field for field in fields if "alice" in field], [], meta)

    def assert_closed(self) -> None:
        """Others can neither write to her nor be told from those who never were there."""
        self.assertEqual(self.said("bob", "alice", "hello?"), "NOTFOUND")
        self.assertEqual(self.status("bob", "alice"), "NOTFOUND")
        self.assertEqual(self.enrol("alice"), ["EXISTS"])
        self.assertEqual(self.by_secret("alice"), ["AUTH"])
        self.assertEqual(self.said("carol", "#passed", "we go on"), 4)

    async def test_everything(self) -> None:
        """Every kind of conversation at once; the counts are those of what is gone."""
        await self.furnish()
        self.assertEqual(await self.accounts.erase(b"alice"), self.ALL)
        self.assert_erased()
        self.assert_closed()

    async def test_small_steps(self) -> None:
        """However few entries a step looks at, the same comes of it."""
        self.patch(module, "ERASE_STEP", 1)
        await self.furnish()
        self.assertEqual(await self.accounts.erase(b"alice"), self.ALL)
        self.assert_erased()

    async def test_long_log(self) -> None:
        """More messages than a step looks at, of two who take turns: half of them go."""
        await self.add("alice", "bob")
        for n in range(30):
            self.send(*[Said(*names, f"{n}") for names in (("alice", "bob"), ("bob", "alice")) for _ in range(10)])
        self.assertEqual((await self.accounts.erase(b"alice")).messages, 300)
        self.assertEqual([text for _, text in self.log("alice+bob")], [f"{n // 10}" for n in range(300)])

    async def test_interrupted(self) -> None:
        """Wherever it is interrupted, the account is shut out, and asked again it goes on to the same end."""
        steps = 0
        while True:
            self.empty()
            await self.furnish()
            done = await self.interrupt_after(steps)
            if done:
                break
            self.assertEqual(self.by_secret("alice"), ["AUTH"])
            steps += 1
            again = await self.accounts.erase(b"alice")
            # What was through before is not looked at again; each conversation takes two steps.
            self.assertEqual(again.conversations, max(0, self.ALL.conversations - max(0, steps - 1) // 2))
            self.assert_erased()
            self.assert_closed()
        self.assertGreater(steps, self.ALL.conversations)

    async def interrupt_after(self, steps: int) -> bool:
        """Erase by so many calls and one more, of which the last fails; whether it was through before."""
        left = steps + 1

        def call(script: Script, *values: Any) -> Deferred[Any]:
            nonlocal left
            if not left:
                return fail(Unavailable("no connection to Redis"))
            left -= 1
            return whole(script, *values)

        whole = self.connection.call
        patch = self.patch(self.connection, "call", call)
        try:
            await self.accounts.erase(b"alice")
        except Unavailable:
            return False
        finally:
            patch.restore()
        return True

    async def test_again(self) -> None:
        """What is through already is nothing to do, and does no harm."""
        await self.furnish()
        await self.accounts.erase(b"alice")
        before = {key: value for key, value in self.dump().items() if key != "account:alice"}
        self.assertEqual(await self.accounts.erase(b"alice"), Erased())
        self.assertEqual({key: value for key, value in self.dump().items() if key != "account:alice"}, before)

    async def test_both(self) -> None:
        """When the other one is deleted too nothing that was said is left."""
        await self.furnish()
        await self.accounts.erase(b"alice")
        await self.accounts.erase(b"bob")
        self.assertEqual(self.log("alice+bob"), [])
        self.assertEqual(self.command("HKEYS", "members:#passed"), ["carol"])
        self.assertEqual(self.command("EXISTS", "topic:#others", "topic:#left", "topic:#asked"), 0)

    async def test_blocked(self) -> None:
        """Who had blocked her is still told so, and nothing else after the block ends."""
        await self.furnish()
        self.block("bob", "alice")
        await self.accounts.erase(b"alice")
        self.assertEqual(self.said("bob", "alice", "x"), "BLOCKED")
        self.relate("bob", "alice", "b", wanted=False)
        self.assertEqual(self.said("bob", "alice", "x"), "NOTFOUND")

    async def test_told(self) -> None:
        """The msg_servers hear whose sessions ended, and why."""
        await self.furnish()
        _, told = self.hear_revoked("accounts/erase", "alice", "")
        why = {key: session.split()[0] for key, session in told["revoked"].items()}
        self.assertEqual(why, {"alice/main": "deleted", "alice/phone": "deleted"})

"""Runner for tests of the scripts about accounts, secrets and relations."""

from __future__ import annotations

import json
from typing import Any

import hiredis
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from zope.interface import implementer

from fishchat.interfaces import IStore
from fishchat.storage.decoy import decoy_key
from fishchat.storage.fence import Fence
from fishchat.storage.script import Script
from fishchat.test.features.session.test_sessions import Listener
from fishchat.test.support.script_runner import LONG, MS1, Runner, ScriptCase

#: As in the configuration: the most guesses of an account and of an address, and the ms for one more.
MOST, EACH = 5, 60_000
ADDRESS_MOST, ADDRESS_EACH = 40, 7_500
ADDRESS = "192.0.2.1"


@implementer(IStore)
class Plain:
    """A store whose answers are ready at once."""

    def __init__(self, runner: Runner) -> None:
        self.connected = True
        self.timeout = 10.0
        self.on_connected: list[Any] = []
        self.on_lost: list[Any] = []
        self._runner = runner

    def run(self, *args: bytes | str | int, timeout: Any = None) -> Deferred[Any]:
        """Return the reply of a command."""
        return succeed(self._runner.command(*args))

    def call(self, script: Script, *values: Any) -> Deferred[Any]:
        """Return the reply of a script."""
        return succeed(self._runner.script(script, *values))

    def drop(self, reason: str) -> None:
        """Do nothing: every test has its own connection, which it closes."""


class AccountCase(ScriptCase):
    """A test with an empty store; accounts are created as by the command line."""

    def enrol(
        self,
        account: str,
        *,
        argon: str = "argon",
        name: str = "",
        privacy: str = "",
        invitation: str = "",
        needed: bool = False,
    ) -> Any:
        """Create an account. Returns ``[OK]`` or the refusal."""
        scram = "scram" if argon else ""
        return self.call("accounts/create", account, argon, scram, name, privacy, invitation, needed)

    def attempt(self, account: str, address: str = "", most: int = MOST) -> Any:
        """Take a guess. Returns ``[OK, argon, scram, version]`` or ``[FLOOD, ms]``."""
        return self.call("session/begin_guess", account, address, most, EACH, ADDRESS_MOST, ADDRESS_EACH)

    def give_back(self, account: str, address: str = "") -> None:
        """Refund a guess."""
        self.assertEqual(self.call("session/refund_guess", account, address, EACH, ADDRESS_EACH), "OK")

    def begin_sign_up(
        self, account: str, invitation: str = "", *, needed: bool = False, address: str = ADDRESS, most: int = 40
    ) -> Any:
        """Take a sign-up. Returns ``[OK]`` or the refusal."""
        guesses = (ADDRESS_MOST, ADDRESS_EACH)
        return self.call("accounts/begin_sign_up", account, invitation, needed, address, most, EACH, *guesses)

    def by_secret(
        self,
        account: str,
        device: str = "main",
        *,
        version: str = "1",
        token: str = "print",
        address: str = "",
        fence: Fence = MS1,
        devices: int = 10,
    ) -> Any:
        """Log in after a right password; ``token`` is the fingerprint of the new token."""
        proof = ("secret", version, token, address, ADDRESS_EACH)
        return self.login(account, device, fence, create=False, proof=proof, devices=devices)

    def by_token(self, account: str, token: str = "print", device: str = "main", *, address: str = "") -> Any:
        """Log in by the token with this fingerprint."""
        return self.login(
            account, device, create=False, proof=("token", token, LONG, address, ADDRESS_MOST, ADDRESS_EACH)
        )

    def set_secret(self, account: str, keep: str = "", session: str = "") -> Any:
        """Set another password."""
        return self.call("accounts/set_password", account, "argon2", "scram2", keep, session)

    def disable(self, account: str, disable: bool = True) -> Any:
        """Disable an account, or enable it again."""
        return self.call("accounts/disable", account, disable)

    def revoke(self, account: str, device: str = "") -> Any:
        """Forget a device, or all devices."""
        return self.call("accounts/revoke", account, device)

    def grant(self, account: str, device: str, token: str = "print", most: int = 10) -> Any:
        """Issue a token, as the operator does."""
        return self.call("accounts/issue_token", account, device, token, most)

    def relate(self, account: str, other: str, kind: str, wanted: bool = True, most: int = 10) -> Any:
        """Block an account, make it a contact, or end either."""
        return self.call("contacts/set", account, other, kind, wanted, most)

    def block(self, account: str, other: str) -> None:
        """Block an account, which must succeed."""
        self.assertEqual(self.relate(account, other, "b"), ["OK"])

    def status(self, asker: str, account: str) -> Any:
        """Return the word of the refusal, or whether the account is online."""
        reply = self.call("accounts/status", asker, account)
        return reply if isinstance(reply, str) else reply[0]

    def erase(self, account: str, count: int = 500) -> list[str]:
        """Delete an account as ``Accounts.erase`` does. Returns its conversations."""
        conversations: list[str] = self.call("accounts/erase", account, "")[4]
        for conversation in conversations:
            self.erase_talk(account, conversation, count)
        while self.call("accounts/erase_requests", account, 100):
            pass
        self.call("accounts/finish_erase", account)
        return conversations

    def erase_talk(self, account: str, conversation: str, count: int = 500) -> list[int]:
        """Erase one conversation. Returns: messages, membership ended, topic passed on, topic ended."""
        sums, after = [0, 0, 0, 0], ""
        while True:
            after, *step = self.call("accounts/erase_conversation", account, conversation, after, count)
            sums = [one + other for one, other in zip(sums, step, strict=True)]
            if not after:
                return sums

    def decoy_key(self) -> bytes:
        """Call a script as a msg_server does."""
        key: bytes = self.successResultOf(ensureDeferred(decoy_key(Plain(self.runner))))
        return key

    def hear_revoked(self, *call: Any) -> tuple[Any, Any]:
        """Return the reply of a script, and the notifications that it publishes to the msg_servers."""
        with Listener(self.server.path, "/sysctrl/client-status") as listener:
            reply = self.call(*call)
            return reply, json.loads(listener.next())

    def now(self) -> int:
        """Return the store's time in ms."""
        seconds, microseconds = self.command("TIME")
        return int(seconds) * 1000 + int(microseconds) // 1000

    def names(self) -> set[str]:
        """Return all keys."""
        return set(self.command("KEYS", "*"))

    def assert_about(self, one: int, other: int) -> None:
        """Check that two times in ms are about the same."""
        self.assertLess(abs(one - other), 10_000)

    def assert_refused_whole(self, call: Any, *args: Any, **options: Any) -> None:
        """Check that a call is refused for lack of memory and changes nothing."""
        before = self.dump()
        self.assertRaises(hiredis.ReplyError, call, *args, **options)
        self.assert_unchanged(before)

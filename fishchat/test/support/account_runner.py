"""Scripts that know of accounts, secrets and relations, as tests of them call these."""

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

#: As in the configuration: guesses at most, and ms for one more.
MOST, EACH = 5, 60_000
ADDRESS = "192.0.2.1"


@implementer(IStore)
class Plain:
    """A store that answers at once."""

    def __init__(self, runner: Runner) -> None:
        self.connected = True
        self.timeout = 10.0
        self.on_connected: list[Any] = []
        self.on_lost: list[Any] = []
        self._runner = runner

    def run(self, *args: bytes | str | int, timeout: Any = None) -> Deferred[Any]:
        """The reply of a command."""
        return succeed(self._runner.command(*args))

    def call(self, script: Script, *values: Any) -> Deferred[Any]:
        """The reply of a script."""
        return succeed(self._runner.script(script, *values))

    def drop(self, reason: str) -> None:
        """Nothing: every test has a connection of its own, which it closes."""


class AccountCase(ScriptCase):
    """An empty store; accounts are made as the command line makes them."""

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
        """``[OK]`` or the refusal."""
        scram = "scram" if argon else ""
        return self.call("accounts/create", account, argon, scram, name, privacy, invitation, needed)

    def attempt(self, account: str, address: str = "", most: int = MOST) -> Any:
        """``[OK, argon, scram, version]`` or ``[FLOOD, ms]``."""
        return self.call("session/begin_guess", account, address, most, EACH)

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
        """The login behind a right password; ``token`` is the fingerprint of the new token."""
        proof = ("secret", version, token, address, EACH)
        return self.login(account, device, fence, create=False, proof=proof, devices=devices)

    def by_token(self, account: str, token: str = "print", device: str = "main", *, address: str = "") -> Any:
        """The login with a token of this fingerprint."""
        return self.login(account, device, create=False, proof=("token", token, LONG, address, MOST, EACH))

    def set_secret(self, account: str, keep: str = "", session: str = "") -> Any:
        """Another password."""
        return self.call("accounts/set_password", account, "argon2", "scram2", keep, session)

    def disable(self, account: str, disable: bool = True) -> Any:
        """Its right to log in is taken, or given back."""
        return self.call("accounts/disable", account, disable)

    def revoke(self, account: str, device: str = "") -> Any:
        """A device is forgotten, or all."""
        return self.call("accounts/revoke", account, device)

    def grant(self, account: str, device: str, token: str = "print", most: int = 10) -> Any:
        """A token from the operator."""
        return self.call("accounts/issue_token", account, device, token, most)

    def relate(self, account: str, other: str, kind: str, wanted: bool = True, most: int = 10) -> Any:
        """Blocked, a contact, or not any more."""
        return self.call("contacts/set", account, other, kind, wanted, most)

    def block(self, account: str, other: str) -> None:
        """It has to work."""
        self.assertEqual(self.relate(account, other, "b"), ["OK"])

    def status(self, asker: str, account: str) -> Any:
        """The word, or whether it is online."""
        reply = self.call("accounts/status", asker, account)
        return reply if isinstance(reply, str) else reply[0]

    def erase(self, account: str, count: int = 500) -> list[str]:
        """A whole deletion, as ``Accounts.erase`` does it; gives its conversations."""
        conversations: list[str] = self.call("accounts/erase", account)[4]
        for conversation in conversations:
            self.erase_talk(account, conversation, count)
        self.call("accounts/finish_erase", account)
        return conversations

    def erase_talk(self, account: str, conversation: str, count: int = 500) -> list[int]:
        """One conversation of it: messages, membership ended, topic passed on, topic ended."""
        sums, after = [0, 0, 0, 0], ""
        while True:
            after, *step = self.call("accounts/erase_conversation", account, conversation, after, count)
            sums = [one + other for one, other in zip(sums, step, strict=True)]
            if not after:
                return sums

    def decoy_key(self) -> bytes:
        """As a msg_server asks for it."""
        key: bytes = self.successResultOf(ensureDeferred(decoy_key(Plain(self.runner))))
        return key

    def hear_revoked(self, *call: Any) -> tuple[Any, Any]:
        """What a script gives, and what it tells the msg_servers."""
        with Listener(self.server.path, "/sysctrl/client-status") as listener:
            reply = self.call(*call)
            return reply, json.loads(listener.next())

    def now(self) -> int:
        """The store's clock in ms."""
        seconds, microseconds = self.command("TIME")
        return int(seconds) * 1000 + int(microseconds) // 1000

    def names(self) -> set[str]:
        """The keys that there are."""
        return set(self.command("KEYS", "*"))

    def assert_about(self, one: int, other: int) -> None:
        """The same moment in ms, or so."""
        self.assertLess(abs(one - other), 10_000)

    def assert_refused_whole(self, call: Any, *args: Any, **options: Any) -> None:
        """For want of memory, with nothing done."""
        before = self.dump()
        self.assertRaises(hiredis.ReplyError, call, *args, **options)
        self.assert_unchanged(before)

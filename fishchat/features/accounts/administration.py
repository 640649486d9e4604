"""The operator's interface to accounts: the command line uses it, and the monitor to check a token.

Commands of clients call the same scripts through the queue of their msg_server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import DeferredList

from fishchat.errors import Refusal
from fishchat.features.accounts import calls
from fishchat.features.accounts.calls import DeviceInfo, Portrait
from fishchat.interfaces import IStore
from fishchat.model.secrets.tokens import fingerprint, new_code, new_invitation, new_token
from fishchat.storage.packing import days_in_ms, privacy_of

if TYPE_CHECKING:
    # This import loads the hash libraries, which most commands do not need.
    from fishchat.model.secrets.passwords import Verifier

__all__ = ["Accounts", "DeviceInfo", "Erased", "Invitation", "Portrait"]

#: The number of log entries that one step of a deletion checks.
ERASE_STEP = 500
#: The number of requests and reports that one step of a deletion removes.
REQUESTS_STEP = 100
#: The minutes for which a code can be redeemed.
CODE_MINUTES = 10
#: The number of digits of a fingerprint that form the id of an invitation.
ID_DIGITS = 12
#: The number of keys in one step of a SCAN, and of accounts described at a time.
_PAGE = 200


@dataclass(frozen=True)
class Invitation:
    """An invitation that can still be used. Its id is the beginning of its fingerprint; times are in ms since 1970.

    ``account`` is the only name for which it is valid, if any.
    """

    id: str
    uses: int
    made: int
    ends: int
    account: str


@dataclass
class Erased:
    """The counts of what a deletion removed."""

    messages: int = 0
    conversations: int = 0
    memberships: int = 0
    topics_passed_on: int = 0
    topics_ended: int = 0
    devices: int = 0
    tokens: int = 0
    sessions: int = 0


class Record(Protocol):
    """A function that records a change of the operator."""

    def __call__(self, action: str, account: bytes, **fields: bytes) -> Awaitable[None]:
        """Record that ``action`` was done to ``account``."""


async def _unrecorded(action: str, account: bytes, **fields: bytes) -> None:
    """Ignore a change."""


class Accounts:
    """Manage accounts. Every call fails with Refusal (``NOTFOUND``, ``EXISTS``, …), or as ``IStore.run`` does.

    :param token_days: days without a login after which a token ends.
    :param record: records a change that was made, by its name, with the account or invitation that it concerns.
    """

    def __init__(self, store: IStore, token_days: float, record: Record | None = None) -> None:
        self._store = store
        self._lives = days_in_ms(token_days)
        self._record = record or _unrecorded

    @property
    def store(self) -> IStore:
        """The store that holds the accounts."""
        return self._store

    async def add(
        self, account: bytes, verifier: Verifier | None, name: bytes = b"", privacy: str = "everyone"
    ) -> None:
        """Create an account; without a verifier it can log in by tokens only."""
        argon, scram = (verifier.argon, verifier.scram) if verifier else (b"", b"")
        await calls.create(account, argon, scram, name, privacy_of(privacy), b"", False).of(self._store)
        await self._record("add", account)

    async def set_password(self, account: bytes, verifier: Verifier) -> int:
        """Set another password and end all tokens and sessions. Return how many sessions ended."""
        ended = await calls.set_password(account, verifier).of(self._store)
        await self._record("passwd", account)
        return ended

    async def set_name(self, account: bytes, name: bytes) -> None:
        """Set another display name; an empty one removes it."""
        await calls.set_name(account, name).of(self._store)
        await self._record("rename", account)

    async def disable(self, account: bytes) -> int:
        """Disable the account: refuse its logins. Return how many sessions ended."""
        ended = await calls.disable(account, True).of(self._store)
        await self._record("disable", account)
        return ended

    async def enable(self, account: bytes) -> None:
        """Enable the account again, with the tokens it had."""
        await calls.disable(account, False).of(self._store)
        await self._record("enable", account)

    async def devices(self, account: bytes) -> list[DeviceInfo]:
        """List the devices of the account by name; empty for an account that does not exist."""
        return await calls.devices(account, self._lives).of(self._store)

    async def revoke(self, account: bytes, device: bytes = b"") -> tuple[int, int]:
        """Forget a device, or all of them. Return how many tokens and sessions ended."""
        ended = await calls.revoke(account, device).of(self._store)
        await self._record("revoke", account, device=device)
        return ended

    async def grant(self, account: bytes, device: bytes, most: int) -> bytes:
        """Issue a token for a device and end its former one. ``most`` limits the devices of an account."""
        token = new_token()
        await calls.issue_token(account, device, fingerprint(token), most).of(self._store)
        await self._record("token", account, device=device)
        return token

    async def code(self, account: bytes) -> bytes:
        """Create a code with which one device of the account can get a token within ``CODE_MINUTES``."""
        code = new_code()
        await calls.create_code(fingerprint(code), account, CODE_MINUTES * 60_000).of(self._store)
        await self._record("link", account)
        return code

    async def check_token(self, account: bytes, token: bytes) -> bytes | None:
        """Return the device of this token; None if the token is unknown or the account disabled."""
        return await calls.check_token(account, fingerprint(token), self._lives).of(self._store)

    async def invite(self, uses: int, days: float, account: bytes = b"") -> bytes:
        """Create an invitation for ``uses`` sign-ups within ``days`` days; with ``account`` for that name only."""
        code = new_invitation()
        await calls.create_invitation(fingerprint(code), uses, days_in_ms(days), account).of(self._store)
        await self._record("invite", account, what=fingerprint(code)[:ID_DIGITS])
        return code

    async def invitations(self) -> list[Invitation]:
        """List the invitations that can still be used, ordered by their end."""
        found = []
        run = self._store.run
        async for key in self._keys(b"invitation:"):
            uses, made, account = await run("HMGET", b"invitation:" + key, "uses", "made", "account")
            left, (seconds, micros) = await run("PTTL", b"invitation:" + key), await run("TIME")
            # The invitation may have ended since its key was found.
            if uses is not None and left > 0:
                ends = int(seconds) * 1000 + int(micros) // 1000 + left
                name = (account or b"").decode()
                found.append(Invitation(key[:ID_DIGITS].decode(), int(uses), int(made), ends, name))
        return sorted(found, key=lambda invitation: invitation.ends)

    async def withdraw(self, invitation: bytes) -> None:
        """End the invitation with this id (or a longer beginning of its fingerprint), in hex digits."""
        # Anything but letters and digits could be a pattern that matches other invitations, too.
        if len(invitation) >= ID_DIGITS and invitation.isalnum():
            keys = [b"invitation:" + key async for key in self._keys(b"invitation:" + invitation)]
            if keys and await self._store.run("DEL", *keys):
                await self._record("withdraw", b"", what=invitation[:ID_DIGITS])
                return
        raise Refusal("NOTFOUND")

    async def show(self, account: bytes) -> Portrait:
        """Describe one account."""
        return await calls.describe(account).of(self._store)

    async def all(self) -> list[Portrait]:
        """Describe every account, by name; deleted ones are left out."""
        found, names = [], [name async for name in self.names()]
        for start in range(0, len(names), _PAGE):
            asks = [calls.describe(name) for name in names[start : start + _PAGE]]
            made = [self._store.call(ask.script, *ask.values) for ask in asks]
            for ask, (success, reply) in zip(asks, await DeferredList(made, consumeErrors=True), strict=True):
                if not success:
                    reply.raiseException()
                try:
                    found.append(ask.parse(reply))
                except Refusal:
                    # The account was deleted, perhaps since its name was found.
                    continue
        return sorted(found, key=lambda portrait: portrait.account)

    async def names(self) -> AsyncIterator[bytes]:
        """Yield every name that is taken, unordered; a name taken meanwhile may be missing."""
        async for name in self._keys(b"account:"):
            yield name

    async def erase(self, account: bytes) -> Erased:
        """Delete an account and its messages, step by step. Repeat the call to continue an interrupted deletion."""
        begun = await calls.erase(account).of(self._store)
        await self._record("delete", account)
        counts = {"devices": begun.devices, "tokens": begun.tokens, "sessions": begun.sessions}
        erased = Erased(conversations=len(begun.conversations), **counts)
        for conversation in begun.conversations:
            await self._erase_operations(account, conversation)
            after = b""
            while True:
                part = await calls.erase_conversation(account, conversation, after, ERASE_STEP).of(self._store)
                erased.messages += part.messages
                erased.memberships += part.memberships
                erased.topics_passed_on += part.topics_passed_on
                erased.topics_ended += part.topics_ended
                after = part.after
                if not after:
                    break
        # After the memberships: an admin's refusal that was under way is found, too.
        while await calls.erase_requests(account, REQUESTS_STEP).of(self._store):
            pass
        await calls.finish_erase(account).of(self._store)
        return erased

    async def _erase_operations(self, account: bytes, conversation: bytes) -> None:
        after = b""
        while True:
            after = await calls.erase_operations(account, conversation, after, ERASE_STEP).of(self._store)
            if not after:
                return

    async def _keys(self, beginning: bytes) -> AsyncIterator[bytes]:
        """Yield the part after the colon of every key that begins with ``beginning``, each once."""
        cursor, given = b"0", set()
        while True:
            cursor, keys = await self._store.run("SCAN", cursor, "MATCH", beginning + b"*", "COUNT", _PAGE)
            for key in keys:
                if key not in given:
                    given.add(key)
                    yield key.partition(b":")[2]
            if cursor == b"0":
                return

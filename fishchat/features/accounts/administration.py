"""The operator's interface to accounts: the command line uses it, and the monitor to check a token.

What clients ask for goes through the queue of their msg_server and calls the same scripts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.defer import DeferredList

from fishchat.errors import Refusal
from fishchat.features.accounts import calls
from fishchat.features.accounts.calls import DeviceInfo, Portrait
from fishchat.interfaces import IStore
from fishchat.model.secrets.tokens import fingerprint, new_invitation, new_token
from fishchat.storage.packing import days_in_ms, privacy_of

if TYPE_CHECKING:
    # It imports the hash libraries, which most commands need not load.
    from fishchat.model.secrets.passwords import Verifier

__all__ = ["Accounts", "DeviceInfo", "Erased", "Invitation", "Portrait"]

#: Log entries that one step of a deletion checks.
ERASE_STEP = 500
#: Digits of a fingerprint that name an invitation.
ID_DIGITS = 12
#: Keys of one step of a SCAN, and accounts that are asked for at a time.
_PAGE = 200


@dataclass(frozen=True)
class Invitation:
    """An invitation that can still be used, under the beginning of its fingerprint; times in ms since 1970.

    ``account`` is the only name that it is good for, if there is one.
    """

    id: str
    uses: int
    made: int
    ends: int
    account: str


@dataclass
class Erased:
    """What a deletion removed."""

    messages: int = 0
    conversations: int = 0
    memberships: int = 0
    topics_passed_on: int = 0
    topics_ended: int = 0
    devices: int = 0
    tokens: int = 0
    sessions: int = 0


class Accounts:
    """Every call fails with Refusal (``NOTFOUND``, ``EXISTS``, …), or as ``IStore.run`` does.

    :param token_days: days without a login after which a token ends.
    """

    def __init__(self, store: IStore, token_days: float) -> None:
        self._store = store
        self._lives = days_in_ms(token_days)

    async def add(
        self, account: bytes, verifier: Verifier | None, name: bytes = b"", privacy: str = "everyone"
    ) -> None:
        """Create an account; without a verifier it can log in by tokens only."""
        argon, scram = (verifier.argon, verifier.scram) if verifier else (b"", b"")
        await calls.create(account, argon, scram, name, privacy_of(privacy), b"", False).of(self._store)

    async def set_password(self, account: bytes, verifier: Verifier) -> int:
        """Set another password and end all tokens and sessions. Return how many sessions ended."""
        return await calls.set_password(account, verifier).of(self._store)

    async def set_name(self, account: bytes, name: bytes) -> None:
        """Set another display name; an empty one removes it."""
        await calls.set_name(account, name).of(self._store)

    async def disable(self, account: bytes) -> int:
        """Let nobody log in as this account any more. Return how many sessions ended."""
        return await calls.disable(account, True).of(self._store)

    async def enable(self, account: bytes) -> None:
        """Let it log in again, with the tokens it had."""
        await calls.disable(account, False).of(self._store)

    async def devices(self, account: bytes) -> list[DeviceInfo]:
        """Its devices by name; none for an account that does not exist."""
        return await calls.devices(account, self._lives).of(self._store)

    async def revoke(self, account: bytes, device: bytes = b"") -> tuple[int, int]:
        """Forget a device, or all of them. Return how many tokens and sessions ended."""
        return await calls.revoke(account, device).of(self._store)

    async def grant(self, account: bytes, device: bytes, most: int) -> bytes:
        """Issue a token for a device, which ends its former one. ``most``: how many devices an account may have."""
        token = new_token()
        await calls.issue_token(account, device, fingerprint(token), most).of(self._store)
        return token

    async def check_token(self, account: bytes, token: bytes) -> bytes | None:
        """The device whose token this is; None when it is nobody's, or the account is disabled."""
        return await calls.check_token(account, fingerprint(token), self._lives).of(self._store)

    async def invite(self, uses: int, days: float, account: bytes = b"") -> bytes:
        """Create an invitation for so many sign-ups within so many days; with ``account`` for that name only."""
        code = new_invitation()
        await calls.create_invitation(fingerprint(code), uses, days_in_ms(days), account).of(self._store)
        return code

    async def invitations(self) -> list[Invitation]:
        """Those that can still be used, ordered by their end."""
        found = []
        run = self._store.run
        async for key in self._keys(b"invitation:"):
            uses, made, account = await run("HMGET", b"invitation:" + key, "uses", "made", "account")
            left, (seconds, micros) = await run("PTTL", b"invitation:" + key), await run("TIME")
            # It may have ended since its key was found.
            if uses is not None and left > 0:
                ends = int(seconds) * 1000 + int(micros) // 1000 + left
                name = (account or b"").decode()
                found.append(Invitation(key[:ID_DIGITS].decode(), int(uses), int(made), ends, name))
        return sorted(found, key=lambda invitation: invitation.ends)

    async def withdraw(self, invitation: bytes) -> None:
        """End the invitation with this id, or this longer beginning of a fingerprint, in hex digits."""
        # Anything but letters and digits could be a pattern that others fit too.
        if len(invitation) >= ID_DIGITS and invitation.isalnum():
            keys = [b"invitation:" + key async for key in self._keys(b"invitation:" + invitation)]
            if keys and await self._store.run("DEL", *keys):
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
                    # It was deleted, perhaps since its name was found.
                    continue
        return sorted(found, key=lambda portrait: portrait.account)

    async def names(self) -> AsyncIterator[bytes]:
        """Every name that is taken, in no order; one that comes meanwhile may be missing or there."""
        async for name in self._keys(b"account:"):
            yield name

    async def erase(self, account: bytes) -> Erased:
        """Delete an account and what it said, step by step; one that was interrupted goes on when asked again."""
        begun = await calls.erase(account).of(self._store)
        counts = {"devices": begun.devices, "tokens": begun.tokens, "sessions": begun.sessions}
        erased = Erased(conversations=len(begun.conversations), **counts)
        for conversation in begun.conversations:
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
        await calls.finish_erase(account).of(self._store)
        return erased

    async def _keys(self, beginning: bytes) -> AsyncIterator[bytes]:
        """What comes after the colon in the keys that begin so, each once."""
        cursor, given = b"0", set()
        while True:
            cursor, keys = await self._store.run("SCAN", cursor, "MATCH", beginning + b"*", "COUNT", _PAGE)
            for key in keys:
                if key not in given:
                    given.add(key)
                    yield key.partition(b":")[2]
            if cursor == b"0":
                return

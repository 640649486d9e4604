"""Accounts in the store, for whoever is no client: the command line, and the monitor that checks a token.

What clients do themselves goes through the queue of their msg_server and calls the same scripts.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredList

from fishchat.errors import Refusal
from fishchat.model.secrets.tokens import fingerprint, new_invitation, new_token
from fishchat.storage.redis import Connection, Script
from fishchat.storage.scripts import (
    BEARER,
    DEVICES,
    DISABLE,
    ENROL,
    ERASE,
    ERASE_END,
    ERASE_TALK,
    GRANT,
    OFFER,
    PORTRAIT,
    PROFILE,
    REVOKE,
    SECRET,
    pack,
    unpack,
)

if TYPE_CHECKING:
    # It brings the libraries of hashes in, which most commands need not load.
    from fishchat.model.secrets.passwords import Verifier

#: Log entries that one step of a deletion looks at.
ERASE_STEP = 500
#: Digits of a fingerprint that name an invitation.
ID_DIGITS = 12
#: Keys of one step of a SCAN, and accounts that are asked for at a time.
_PAGE = 200
_DAY = 86_400_000


def days_in_ms(days: float) -> int:
    """For the scripts, which count in milliseconds."""
    return int(days * _DAY)


def privacy_of(chosen: str) -> bytes:
    """How the store keeps who may begin to write to an account: nothing for ``everyone``."""
    return b"" if chosen == "everyone" else chosen.encode()


async def decoy_key(connection: Connection) -> bytes:
    """The key from which salts are made for accounts that are not there: 32 bytes, for all msg_servers and for ever.

    Made by whoever asks first. Fails as ``Connection.run`` does.
    """
    # Asked first: a full memory refuses to set what is there.
    if await connection.run("GET", "decoy") is None:
        await connection.run("SET", "decoy", os.urandom(32), "NX")
    key: bytes = await connection.run("GET", "decoy")
    return key


@dataclass(frozen=True)
class Portrait:
    """What the operator may know of an account; times in ms since 1970, 0 for never."""

    account: str
    created: int
    disabled: int
    name: str
    privacy: str
    password: bool
    online: int
    devices: int
    topics: int
    conversations: int
    blocked: int
    contacts: int


@dataclass(frozen=True)
class DeviceInfo:
    """A device of an account: when it was last here and when its token ends, in ms since 1970; 0: never, none."""

    device: str
    online: bool
    seen: int
    token_ends: int


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
    """Every call fails with Refusal (``NOTFOUND``, ``EXISTS``, …), or as ``Connection.run`` does.

    :param token_days: days without a login after which a token ends.
    """

    def __init__(self, connection: Connection, token_days: float) -> None:
        self._connection = connection
        self._lives = days_in_ms(token_days)

    async def add(
        self, account: bytes, verifier: Verifier | None, name: bytes = b"", privacy: str = "everyone"
    ) -> None:
        """Make an account; without a verifier it can log in by tokens only."""
        argon, scram = (verifier.argon, verifier.scram) if verifier else (b"", b"")
        await self._done(ENROL, account, argon, scram, name, privacy_of(privacy), b"", False)

    async def set_password(self, account: bytes, verifier: Verifier) -> int:
        """Another password; all tokens and sessions end. Gives how many sessions did."""
        ended: int = (await self._done(SECRET, account, verifier.argon, verifier.scram, b"", b""))[1]
        return ended

    async def set_name(self, account: bytes, name: bytes) -> None:
        """Another display name; nothing removes it."""
        await self._done(PROFILE, account, b"name", name)

    async def disable(self, account: bytes) -> int:
        """Nobody logs in as this account any more; gives how many sessions that ended."""
        ended: int = (await self._done(DISABLE, account, True))[1]
        return ended

    async def enable(self, account: bytes) -> None:
        """It may log in again, with the tokens it had."""
        await self._done(DISABLE, account, False)

    async def devices(self, account: bytes) -> list[DeviceInfo]:
        """Its devices by name; none for an account that is not there."""
        flat = unpack(await self._run(DEVICES, account, self._lives))
        rows = zip(*[iter(flat)] * 4, strict=True)
        found = [DeviceInfo(name.decode(), bool(online), int(seen), int(ends)) for name, online, seen, ends in rows]
        return sorted(found, key=lambda device: device.device)

    async def revoke(self, account: bytes, device: bytes = b"") -> tuple[int, int]:
        """Forget a device, or all of them: how many tokens and sessions ended."""
        _, tokens, sessions = await self._done(REVOKE, account, device)
        return tokens, sessions

    async def grant(self, account: bytes, device: bytes, most: int) -> bytes:
        """A token for a device, which ends its former one. ``most``: how many devices an account may have."""
        token = new_token()
        await self._done(GRANT, account, device, fingerprint(token), most)
        return token

    async def check_token(self, account: bytes, token: bytes) -> bytes | None:
        """The device whose token this is; None when it is nobody's, or the account is disabled."""
        device: bytes = await self._run(BEARER, account, fingerprint(token), self._lives)
        return device or None

    async def invite(self, uses: int, days: float, account: bytes = b"") -> bytes:
        """An invitation for so many sign-ups within so many days; with ``account`` for that name only."""
        code = new_invitation()
        await self._done(OFFER, fingerprint(code), uses, days_in_ms(days), account)
        return code

    async def invitations(self) -> list[Invitation]:
        """Those that can still be used, the one that ends first in front."""
        found = []
        run = self._connection.run
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
            if keys and await self._connection.run("DEL", *keys):
                return
        raise Refusal("NOTFOUND")

    async def show(self, account: bytes) -> Portrait:
        """What there is to know."""
        reply = await self._run(PORTRAIT, account)
        if not isinstance(reply, list):
            gone = "this name belonged to an account that was deleted"
            raise Refusal("NOTFOUND", gone if reply == b"DELETED" else None)
        return _portrait(account, reply)

    async def all(self) -> list[Portrait]:
        """What there is to know of every account, by name; deleted ones are left out."""
        found, names = [], [name async for name in self.names()]
        for start in range(0, len(names), _PAGE):
            page = names[start : start + _PAGE]
            asked = [self._connection.script(PORTRAIT, (), (pack(name),)) for name in page]
            for name, (success, reply) in zip(page, await DeferredList(asked, consumeErrors=True), strict=True):
                if not success:
                    reply.raiseException()
                if isinstance(reply, list):
                    found.append(_portrait(name, reply))
        return sorted(found, key=lambda portrait: portrait.account)

    async def names(self) -> AsyncIterator[bytes]:
        """Every name that is taken, in no order; one that comes meanwhile may be missing or there."""
        async for name in self._keys(b"account:"):
            yield name

    async def erase(self, account: bytes) -> Erased:
        """Delete an account and what it said, step by step; one that was interrupted goes on when asked again."""
        _, sessions, devices, tokens, conversations = await self._done(ERASE, account)
        erased = Erased(conversations=len(conversations), devices=devices, tokens=tokens, sessions=sessions)
        for conversation in conversations:
            after = b""
            while True:
                step = await self._run(ERASE_TALK, account, conversation, after, ERASE_STEP)
                after, messages, left, passed_on, ended = step
                erased.messages += messages
                erased.memberships += left
                erased.topics_passed_on += passed_on
                erased.topics_ended += ended
                if not after:
                    break
        await self._run(ERASE_END, account)
        return erased

    async def _keys(self, beginning: bytes) -> AsyncIterator[bytes]:
        """What stands behind the colon in the keys that begin so, each once."""
        cursor, given = b"0", set()
        while True:
            cursor, keys = await self._connection.run("SCAN", cursor, "MATCH", beginning + b"*", "COUNT", _PAGE)
            for key in keys:
                if key not in given:
                    given.add(key)
                    yield key.partition(b":")[2]
            if cursor == b"0":
                return

    async def _run(self, script: Script, *args: Any) -> Any:
        return await self._connection.script(script, (), (pack(*args),))

    async def _done(self, script: Script, *args: Any) -> Any:
        reply = await self._run(script, *args)
        if reply[0] != b"OK":
            raise refusal_of(reply)
        return reply


def _portrait(account: bytes, reply: list[Any]) -> Portrait:
    created, disabled, name, privacy, *numbers = reply
    password, *counts = numbers
    texts = (name.decode(), privacy.decode() or "everyone")
    return Portrait(account.decode(), int(created), int(disabled or 0), *texts, bool(password), *counts)


def refusal_of(reply: list[Any]) -> Refusal:
    """What a script refused with: a word, perhaps with the limit behind it."""
    word = reply[0].decode()
    return Refusal(word, limit=reply[1]) if len(reply) > 1 else Refusal(word)

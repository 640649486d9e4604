"""Calls of the scripts of accounts: their secrets, profiles, devices, tokens, invitations and deletion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fishchat.errors import Refusal
from fishchat.features.engine import Budget
from fishchat.model.names import SERVER_NAME_ADVICE
from fishchat.storage.ask import Ask, accepted, ignored, nothing, refusal_of, rows
from fishchat.storage.packing import privacy_of
from fishchat.storage.script import script

if TYPE_CHECKING:
    # This import loads the hash libraries, which most commands do not need.
    from fishchat.model.secrets.passwords import Verifier

_BEGIN_SIGN_UP = script("accounts/begin_sign_up")
_BEGIN_CHANGE = script("accounts/begin_change")
_REFUND = script("accounts/refund")
_CREATE = script("accounts/create")
_SET_PASSWORD = script("accounts/set_password")
_REHASH = script("accounts/rehash")
_SET_PROFILE = script("accounts/set_profile")
_DISABLE = script("accounts/disable")
_DEVICES = script("accounts/devices")
_REVOKE = script("accounts/revoke")
_ISSUE_TOKEN = script("accounts/issue_token")
#: Loaded by the monitor, which calls no other script.
CHECK_TOKEN = script("accounts/check_token")
_CREATE_INVITATION = script("accounts/create_invitation")
_CREATE_CODE = script("accounts/create_code")
_REDEEM_CODE = script("accounts/redeem_code")
_STATUS = script("accounts/status")
_DESCRIBE = script("accounts/describe")
_ERASE = script("accounts/erase")
_ERASE_OPERATIONS = script("accounts/erase_operations")
_ERASE_REQUESTS = script("accounts/erase_requests")
_ERASE_CONVERSATION = script("accounts/erase_conversation")
_FINISH_ERASE = script("accounts/finish_erase")


@dataclass(frozen=True)
class Status:
    """Whether an account is online, when it was last seen (ms), and its display name or nothing."""

    online: bool
    seen: int
    name: bytes


@dataclass(frozen=True)
class Portrait:
    """An account as the operator sees it; times in ms since 1970, 0 for never."""

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
    """A device of an account: when it was last seen (0: never), when its token ends (0: none), in ms since 1970."""

    device: str
    online: bool
    seen: int
    token_ends: int


@dataclass(frozen=True)
class Ended:
    """The result of the first step of a deletion: what it ended, and the conversations that remain to be erased."""

    sessions: int
    devices: int
    tokens: int
    conversations: list[bytes]


@dataclass(frozen=True)
class ErasedPart:
    """The result of one step of a deletion; ``after`` is where to continue, empty at the end of the conversation."""

    after: bytes
    messages: int
    memberships: int
    topics_passed_on: int
    topics_ended: int


def _new_name(reply: Any) -> None:
    """Check a reply about an account that is new, or will be. Raises Refusal."""
    if reply[0] == b"BADNAME":
        raise Refusal("BADNAME", SERVER_NAME_ADVICE)
    accepted(reply)


def begin_sign_up(
    account: bytes, invitation: bytes, needed: bool, address: bytes, sign_ups: Budget, guesses: Budget
) -> Ask[None]:
    """Take a sign-up of this address. Raises Refusal ``SIGNUPS``, or ``FLOOD`` for a further invalid one.

    ``invitation`` is a fingerprint or empty, ``needed`` whether one is required.
    """

    def parse(reply: Any) -> None:
        if reply[0] == b"SIGNUPS":
            raise Refusal("SIGNUPS", retry=-(-reply[1] // 1000))
        if reply[0] == b"FLOOD":
            raise _flood("too many invalid sign-ups or failed logins; wait, then try again", reply)
        _new_name(reply)

    return Ask(_BEGIN_SIGN_UP, (account, invitation, needed, address, *sign_ups, *guesses), parse)


def begin_change(account: bytes, changes: Budget) -> Ask[None]:
    """Take a password change of this account. Raises Refusal ``FLOOD`` if the budget is spent."""

    def parse(reply: Any) -> None:
        if reply[0] == b"FLOOD":
            raise _flood("too many password changes; wait, then try again", reply)
        accepted(reply)

    return Ask(_BEGIN_CHANGE, (account, *changes), parse)


def refund_sign_up(address: bytes, sign_ups: Budget) -> Ask[None]:
    """Refund a sign-up for which there was no time to hash."""
    return Ask(_REFUND, (address, b"", sign_ups.each), ignored)


def refund_change(account: bytes, changes: Budget) -> Ask[None]:
    """Refund a password change for which there was no time to hash."""
    return Ask(_REFUND, (b"", account, changes.each), ignored)


def create(
    account: bytes, argon: bytes, scram: bytes, name: bytes, privacy: bytes, invitation: bytes, needed: bool
) -> Ask[None]:
    """Create an account; ``invitation`` is a fingerprint or empty, ``needed`` whether an invitation is required."""
    return Ask(_CREATE, (account, argon, scram, name, privacy, invitation, needed), _new_name)


def set_password(account: bytes, verifier: Verifier, keep: bytes = b"", session: bytes = b"") -> Ask[int]:
    """Set a password. Returns how many sessions ended.

    The device ``keep`` stays logged in. With ``session``, it must still have that session, or ``STATE`` is raised.
    """
    return Ask(_SET_PASSWORD, (account, verifier.argon, verifier.scram, keep, session), _first)


def rehash(account: bytes, version: bytes, verifier: Verifier) -> Ask[bool]:
    """Replace the hash of the secret of this version. Returns False if the secret has changed."""
    return Ask(_REHASH, (account, version, verifier.argon, verifier.scram), bool)


def set_name(account: bytes, name: bytes) -> Ask[None]:
    """Set the display name; an empty one removes it."""
    return Ask(_SET_PROFILE, (account, b"name", name), nothing)


def set_privacy(account: bytes, chosen: str) -> Ask[None]:
    """Set who may start a conversation with the account: ``everyone`` or ``contacts``."""
    return Ask(_SET_PROFILE, (account, b"privacy", privacy_of(chosen)), nothing)


def disable(account: bytes, disable: bool) -> Ask[int]:
    """Disable an account, or enable it again. Returns how many sessions ended."""
    return Ask(_DISABLE, (account, disable), _first)


def devices(account: bytes, lives: int) -> Ask[list[DeviceInfo]]:
    """List the devices of an account by name; empty for a missing account. Tokens live ``lives`` ms."""

    def parse(packed: bytes) -> list[DeviceInfo]:
        found = sorted(rows(packed, 4))
        return [DeviceInfo(name.decode(), bool(online), int(seen), int(ends)) for name, online, seen, ends in found]

    return Ask(_DEVICES, (account, lives), parse)


def revoke(account: bytes, device: bytes) -> Ask[tuple[int, int]]:
    """Forget a device, or all for an empty name. Returns how many tokens and sessions ended."""

    def parse(reply: Any) -> tuple[int, int]:
        tokens, sessions = accepted(reply)
        return tokens, sessions

    return Ask(_REVOKE, (account, device), parse)


def issue_token(account: bytes, device: bytes, fingerprint: bytes, devices: int) -> Ask[None]:
    """Store a new token of a device. ``devices`` limits the devices of an account."""
    return Ask(_ISSUE_TOKEN, (account, device, fingerprint, devices), nothing)


def check_token(account: bytes, fingerprint: bytes, lives: int) -> Ask[bytes | None]:
    """Return the device of a token that lives ``lives`` ms; None if the token is unknown or the account disabled."""
    return Ask(CHECK_TOKEN, (account, fingerprint, lives), lambda reply: reply or None)


def create_invitation(fingerprint: bytes, uses: int, lives: int, account: bytes = b"") -> Ask[None]:
    """Create an invitation for ``uses`` sign-ups within ``lives`` ms; with ``account`` for that name only."""
    return Ask(_CREATE_INVITATION, (fingerprint, uses, lives, account), _new_name)


def create_code(fingerprint: bytes, account: bytes, lives: int) -> Ask[None]:
    """Create a code with which one device of the account can get a token within ``lives`` ms."""
    return Ask(_CREATE_CODE, (fingerprint, account, lives), nothing)


def redeem_code(
    code: bytes, account: bytes, device: bytes, fingerprint: bytes, devices: int, address: bytes, guesses: Budget
) -> Ask[None]:
    """Store a new token of a device for a code, which ends. Raises Refusal ``AUTH`` for an invalid code.

    ``code`` and ``fingerprint`` are fingerprints, of the code and of the token; ``devices`` limits the devices of an
    account. An invalid code is a guess of the address, and ``FLOOD`` after too many.
    """

    def parse(reply: Any) -> None:
        if reply[0] == b"FLOOD":
            raise _flood("too many invalid codes or failed logins; wait, then try again", reply)
        accepted(reply)

    return Ask(_REDEEM_CODE, (code, account, device, fingerprint, devices, address, *guesses), parse)


def status(asker: bytes, account: bytes) -> Ask[Status]:
    """Return whether an account is online, for an asker that may write to it."""

    def parse(reply: Any) -> Status:
        if not isinstance(reply, list):
            raise refusal_of(reply)
        online, seen, name = reply
        return Status(bool(online), seen, name)

    return Ask(_STATUS, (asker, account), parse)


def describe(account: bytes) -> Ask[Portrait]:
    """Return the description of an account for the operator."""

    def parse(reply: Any) -> Portrait:
        if reply == b"DELETED":
            raise Refusal("NOTFOUND", "this name belonged to an account that was deleted")
        if not isinstance(reply, list):
            raise refusal_of(reply)
        created, disabled, name, privacy, password, *counts = reply
        texts = (name.decode(), privacy.decode() or "everyone")
        return Portrait(account.decode(), int(created), int(disabled or 0), *texts, bool(password), *counts)

    return Ask(_DESCRIBE, (account,), parse)


def erase(account: bytes, version: bytes = b"") -> Ask[Ended]:
    """Begin a deletion, or continue one that was interrupted.

    With the ``version`` of the password by which the owner is known, the manager does the steps that follow.
    """
    return Ask(_ERASE, (account, version), lambda reply: Ended(*accepted(reply)))


def erase_operations(account: bytes, conversation: bytes, after: bytes, count: int) -> Ask[bytes]:
    """Run one step of the erasure of what an account did to messages. Returns where to go on; nothing at the end."""

    def parse(following: bytes) -> bytes:
        return following

    return Ask(_ERASE_OPERATIONS, (account, conversation, after, count), parse)


def erase_requests(account: bytes, count: int) -> Ask[bool]:
    """Run one step of the erasure of what an account has asked others and reported; whether more may be left."""
    return Ask(_ERASE_REQUESTS, (account, count), bool)


def erase_conversation(account: bytes, conversation: bytes, after: bytes, count: int) -> Ask[ErasedPart]:
    """Run one step of a deletion, over ``count`` entries of one conversation."""
    return Ask(_ERASE_CONVERSATION, (account, conversation, after, count), lambda reply: ErasedPart(*reply))


def finish_erase(account: bytes) -> Ask[None]:
    """Run the last step of a deletion."""
    return Ask(_FINISH_ERASE, (account,), ignored)


def _flood(text: str, reply: Any) -> Refusal:
    return Refusal("FLOOD", text, retry=-(-reply[1] // 1000))


def _first(reply: Any) -> int:
    ended: int = accepted(reply)[0]
    return ended

"""Calls of the scripts that log devices in and out, and count guesses at secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fishchat.errors import Refusal
from fishchat.features.engine import Budget
from fishchat.model.names import SERVER_NAME_ADVICE
from fishchat.storage.ask import Ask, accepted, ignored
from fishchat.storage.logs.calls import Known, parse_conversations
from fishchat.storage.script import script

_LOGIN = script("session/login")
_LOGOUT = script("session/logout")
_BEGIN_GUESS = script("session/begin_guess")
_REFUND_GUESS = script("session/refund_guess")

#: The proof of a login: the method, then the arguments of that method (``login.lua``).
Proof = tuple[Any, ...]
#: The proof in mode ``open``, where no client must prove anything.
OPEN: Proof = (b"open",)


def by_token(fingerprint: bytes, lives: int, address: bytes, of_address: Budget) -> Proof:
    """Return the proof by a token, which lives ``lives`` ms; a wrong one is a guess of its address."""
    return b"token", fingerprint, lives, address, *of_address


def by_secret(version: bytes, fingerprint: bytes, address: bytes, of_address: Budget) -> Proof:
    """Return the proof by a checked secret of this version; the device gets the token with this fingerprint."""
    return b"secret", version, fingerprint, address, of_address.each


class LoginRefused(Refusal):
    """A login that the store refused.

    :ivar proved: whether the proof was right all the same, so that it was no guess.
    :ivar reason: the word of the store, which the answer to the client may hide.
    """

    proved = True
    reason = ""


@dataclass(frozen=True)
class Verifiers:
    """The data by which a secret is checked; empty for an account that does not exist."""

    argon: bytes
    scram: bytes
    version: bytes


def login(
    account: bytes, device: bytes, connection: int, devices: int, create: bool | bytes, forget: int, proof: Proof
) -> Ask[list[Known]]:
    """Store the session of a device. Returns the conversations of the device. Raises LoginRefused."""

    def parse(reply: Any) -> list[Known]:
        if reply[0] != b"OK":
            raise _refused(reply, devices)
        return parse_conversations(reply[2])

    return Ask(_LOGIN, (account, device, connection, devices, create, forget, proof), parse)


def _refused(reply: Any, devices: int) -> LoginRefused:
    refused = _refusal(reply, devices)
    refused.reason = reply[0].decode()
    return refused


def _refusal(reply: Any, devices: int) -> LoginRefused:
    word = reply[0].decode()
    if word == "DEVICES":
        return LoginRefused(word, limit=devices)
    if word == "BADNAME":
        return LoginRefused(word, SERVER_NAME_ADVICE)
    if word == "FLOOD":
        flooded = flood(reply[1])
        return LoginRefused(word, flooded.text, **flooded.extra)
    if word == "DISABLED":
        return LoginRefused("AUTH", "this account is disabled; ask the operator of this server")
    refused = LoginRefused("AUTH")
    # NOTFOUND gets the same answer, so that the answer does not reveal which names exist.
    refused.proved = word != "AUTH"
    return refused


def flood(wait: int) -> Refusal:
    """Return the Refusal after too many guesses, with the ms to wait."""
    text = "too many failed logins; wait, or log in with a token"
    return Refusal("FLOOD", text, retry=-(-wait // 1000))


def logout(gone: list[Any]) -> Ask[None]:
    """End sessions. ``gone`` is flat: account, device, number of the connection."""
    return Ask(_LOGOUT, (gone,), ignored)


def begin_guess(account: bytes, address: bytes, of_account: Budget, of_address: Budget) -> Ask[Verifiers]:
    """Take a guess for a secret of this account from this address. Raises Refusal ``FLOOD`` if a budget is spent."""

    def parse(reply: Any) -> Verifiers:
        if reply[0] == b"FLOOD":
            raise flood(reply[1])
        return Verifiers(*accepted(reply))

    return Ask(_BEGIN_GUESS, (account, address, *of_account, *of_address), parse)


def refund_guess(account: bytes, address: bytes, of_account: Budget, of_address: Budget) -> Ask[None]:
    """Refund the guess for a secret that was right or was not checked."""
    return Ask(_REFUND_GUESS, (account, address, of_account.each, of_address.each), ignored)

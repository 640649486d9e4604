"""Secrets: SCRAM at both ends, passwords and their stored form, tokens."""

from __future__ import annotations

import contextlib
import hmac
import re
from base64 import b64decode
from hashlib import pbkdf2_hmac
from typing import Any

from fishchat.client.events import RefusedError
from fishchat.client.login import masked
from fishchat.client.scram import Scram
from fishchat.errors import ProtocolError, Refusal
from fishchat.model.names import is_name
from fishchat.model.secrets import passwords, tokens
from fishchat.model.secrets import scram as server
from fishchat.proof.fuzz.helpers import Dice, claim
from fishchat.proof.fuzz.servers import COSTS, MADE, PASSWORD

BINDING = b"b" * 32
_PREPARED = passwords.prepared(PASSWORD)
_ROUNDS, _SALT, _STORED, _SERVER = passwords.parse_scram(MADE.scram)
_SALTED = pbkdf2_hmac("sha256", _PREPARED.encode(), _SALT, _ROUNDS)
_CLIENT_KEY = hmac.digest(_SALTED, b"Client Key", "sha256")


def scram_server(data: bytes) -> None:
    """The first line is a client's first message; the others are tried as its last one."""
    first, *finals = data[1:].split(b"\n")
    flags = data[0] if data else 0
    binding = BINDING if flags & 1 else None
    mechanism = server.PLUS if binding and flags & 2 else server.PLAIN
    with contextlib.suppress(ProtocolError):
        account = server.account_of(first)
        claim(re.fullmatch(b"[^,]*,,n=%s,r=.*" % re.escape(account), first, re.DOTALL), "no first message", first)
        claim(is_name(account), "no account", account)
    for final in finals[:3] or [b""]:
        exchange = server.Exchange(mechanism, binding, MADE.scram)
        try:
            challenge = exchange.challenge(first)
        except Refusal as refusal:
            claim(refusal.word == "AUTH", "another word", refusal.word)
            claim(refusal.text.isprintable(), "not to be shown", refusal.text)
            return
        claim(challenge.isascii() and challenge.decode().isprintable(), "no line", challenge)
        _finish(exchange, first, challenge, final.replace(b"NONCE", challenge.partition(b",")[0][2:]), flags)


def _finish(exchange: server.Exchange, first: bytes, challenge: bytes, final: bytes, flags: int) -> None:
    """Only the right proof logs in. The right one, which is made with bit 2, does log in."""
    bare = first.split(b",", 2)[2]
    without, _, proof = final.rpartition(b",p=")
    message = b",".join((bare, challenge, without))
    signature = hmac.digest(_STORED, message, "sha256")
    right = bytes(one ^ other for one, other in zip(_CLIENT_KEY, signature, strict=True))
    try:
        said = exchange.finish(final)
    except Refusal as refusal:
        claim(refusal.word == "AUTH", "another word", refusal.word)
        return
    claim(b64decode(proof) == right, "let in by a wrong proof", final)
    claim(b64decode(said[2:]) == hmac.digest(_SERVER, message, "sha256"), "another signature", said)


def scram_both(data: bytes) -> None:
    """The library's client and the server's side agree without a change in between, and with one they do not."""
    dice = Dice(data)
    binding = BINDING if dice.flag() else None
    offered = dice.pick((["SCRAM-SHA-256"], ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]))
    one = Scram("alice", PASSWORD.decode(), offered, binding)
    exchange = server.Exchange(one.mechanism.encode(), binding, MADE.scram)
    middle = _Middle(dice.byte() % 5, dice.byte(), 1 + dice.byte() % 127)
    first = middle.carry(1, one.first().encode())
    downgraded = binding is not None and len(offered) == 1
    try:
        server.account_of(first)
        challenge = middle.carry(2, exchange.challenge(first))
        if b",i=4096" not in challenge:
            return
        final = middle.carry(3, one.final(challenge.decode()).encode())
        proved = middle.carry(4, exchange.finish(final))
        one.check(proved.decode())
    except (Refusal, RefusedError):
        claim(middle.which or downgraded, "refused, and nothing was wrong")
    else:
        claim(not downgraded, "a list of mechanisms was shortened, and nobody noticed")
        claim(not middle.changed, "changed on the way, and nobody noticed", middle.which, middle.where, middle.by)


class _Middle:
    """An attacker in the middle, who changes a byte of one message."""

    def __init__(self, which: int, where: int, by: int) -> None:
        self.which, self.where, self.by = which, where, by
        self.changed = False

    def carry(self, number: int, message: bytes) -> bytes:
        """Return the message that arrives."""
        if number != self.which:
            return message
        at = self.where % len(message)
        arrives = message[:at] + bytes([message[at] ^ self.by]) + message[at + 1 :]
        self.changed = _decoded(arrives) != _decoded(message)
        return arrives


def _decoded(message: bytes) -> bytes:
    """Return a message with its last part decoded: several spellings in base64 are the same proof."""
    rest, _, last = message.rpartition(b",")
    try:
        return rest + b"," + last[:2] + b64decode(last[2:], validate=True)
    except ValueError:
        return message


def scram_client(data: bytes) -> None:
    """The client's side with any input from a server: it refuses, and never believes a wrong server."""
    challenge, _, signature = data[1:].partition(b"\n")
    one = Scram("alice", PASSWORD.decode(), ["SCRAM-SHA-256"], None, nonce="rOprNGfwEbeRWgbNEkqO")
    one.first()
    if b"i=4096" not in challenge:
        # More rounds take too long for a fuzzer. The bounds are checked all the same.
        challenge = challenge.replace(b"i=", b"i=0")
    for call in (lambda: one.final(challenge.decode("utf-8", "replace")), lambda: one.check(_text(signature))):
        try:
            call()
        except (RefusedError, ValueError):
            return
    raise AssertionError("the server knows the password")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def secrets(data: bytes) -> None:
    """Passwords and verifiers of any bytes; tokens anywhere in a text."""
    _password(data)
    with contextlib.suppress(ValueError):
        rounds, salt, stored, key = passwords.parse_scram(data)
        again = passwords.parse_scram(passwords.pack_scram(rounds, salt, stored, key))
        claim(again == (rounds, salt, stored, key), "another verifier", data)
    token = tokens.new_token()
    claim(tokens.is_token(token) and len(tokens.fingerprint(data)) == 64, "no token, or no fingerprint", token)
    text = f"{_text(data[:40])}{token.decode()}{_text(data[40:])}"
    claim(token.decode() not in masked(text), "a token is shown", text)


def _password(raw: bytes) -> None:
    try:
        text = passwords.prepared(raw)
    except Refusal as refusal:
        claim(refusal.word == "PASSWORD", "another word", refusal.word)
        return
    claim(passwords.SHORTEST <= len(text) <= passwords.LONGEST, "too short or too long", text)
    claim(not tokens.is_token(raw), "a password that claims to be a token", raw)
    with contextlib.suppress(Refusal):
        claim(passwords.prepared(text.encode()) == text, "prepared twice, it is another one", text)


def phc(data: bytes) -> None:
    """Hashes in PHC strings, made and checked at the lowest cost: right with its password, wrong with another."""
    password, _, argon = data.partition(b"\n")
    argon = argon.replace(b"$", b"")
    claim(not passwords.check(password, argon, COSTS), "a hash that is none lets in", argon)
    made: Any
    try:
        made = passwords.make(password, COSTS)
    except Refusal:
        claim(not passwords.check(password, MADE.argon, COSTS) or password == PASSWORD, "refused, and let in")
        return
    claim(passwords.check(password, made.argon, COSTS), "made, and not let in", password)
    same = passwords.prepared(password) == _PREPARED
    claim(passwords.check(password, MADE.argon, COSTS) == same, "let in by another password", password)
    claim(not passwords.is_dated(made.argon, made.scram, COSTS), "dated when it is made")

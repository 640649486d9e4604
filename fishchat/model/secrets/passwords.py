"""Passwords: the allowed ones, and their stored form. No I/O, but slow on purpose: not for the reactor's thread.

Two values are stored for each password: an argon2id hash (RFC 9106) for clients that send it, and a SCRAM verifier (RFC
5802) for programs that prove it. Their default costs are OWASP's; the configuration sets them.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from functools import cache
from secrets import token_bytes

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from scramp import ScramMechanism

from fishchat.errors import Refusal
from fishchat.model.secrets.letters import prepare
from fishchat.model.secrets.tokens import is_token

#: The allowed lengths of a password, in letters.
SHORTEST, LONGEST = 8, 256

_MECHANISM = "SCRAM-SHA-256"


@dataclass(frozen=True)
class Costs:
    """The cost of one check: KiB and passes of argon2id, rounds of SCRAM's PBKDF2."""

    memory: int
    passes: int
    rounds: int

    @property
    def hasher(self) -> PasswordHasher:
        """Return argon2id at this cost, on one lane: the thread pool provides the parallelism."""
        return _hasher(self.passes, self.memory)


@cache
def _hasher(passes: int, memory: int) -> PasswordHasher:
    return PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=1)


@dataclass(frozen=True)
class Verifier:
    """The stored form of a password."""

    argon: bytes = field(repr=False)
    scram: bytes = field(repr=False)


def prepared(password: bytes) -> str:
    """Return the password as it is hashed: in the form of SASLprep (RFC 4013), so that all ways to type it are equal.

    Raises Refusal ``PASSWORD`` for a password that is not allowed.
    """
    if is_token(password):
        raise Refusal("PASSWORD", "a password must not begin with fct_, as tokens do")
    measure(password)
    try:
        text = prepare(password.decode())
    except UnicodeDecodeError:
        raise Refusal("PASSWORD", "the password is not valid UTF-8; send it as UTF-8") from None
    except ValueError as error:
        raise Refusal("PASSWORD", str(error)) from None
    if not SHORTEST <= len(text) <= LONGEST:
        raise _unfit()
    return text


def measure(password: bytes) -> None:
    """Raise Refusal ``PASSWORD`` by length alone, since the check of the letters takes some ms."""
    if not SHORTEST <= len(password) <= 8 * LONGEST:
        raise _unfit()


def _unfit() -> Refusal:
    return Refusal("PASSWORD", shortest=SHORTEST, longest=LONGEST)


def make(password: bytes, costs: Costs) -> Verifier:
    """Return the stored form of a password: two slow hashes. Raises Refusal ``PASSWORD`` if it is not allowed."""
    text = prepared(password)
    salt, stored, server, rounds = ScramMechanism(_MECHANISM).make_auth_info(
        text, iteration_count=costs.rounds, salt=token_bytes(16)
    )
    return Verifier(costs.hasher.hash(text).encode(), pack_scram(rounds, salt, stored, server))


def check(password: bytes, argon: bytes, costs: Costs) -> bool:
    """Return whether the password is right, by one slow hash in any case. Without ``argon`` none is, after the same
    time.
    """
    try:
        text = prepared(password)
    except Refusal:
        # A password that is not allowed is wrong, and takes as long.
        text, argon = "", b""
    try:
        return costs.hasher.verify((argon or _nobodys(costs)).decode(), text) and bool(argon)
    except (VerificationError, ValueError):
        # ValueError: the stored value is not a hash, or not even text.
        return False


def is_dated(argon: bytes, scram: bytes, costs: Costs) -> bool:
    """Return whether the hashes were made at another cost than the present one."""
    return costs.hasher.check_needs_rehash(argon.decode()) or parse_scram(scram)[0] != costs.rounds


def _nobodys(costs: Costs) -> bytes:
    # Written and not hashed: otherwise the first unknown account would take twice as long.
    salt, digest = (b64encode(token_bytes(size)).rstrip(b"=") for size in (16, 32))
    return b"$argon2id$v=19$m=%d,t=%d,p=1$%s$%s" % (costs.memory, costs.passes, salt, digest)


def pack_scram(rounds: int, salt: bytes, stored: bytes, server: bytes) -> bytes:
    """Return a verifier in the form of RFC 5803: ``SCRAM-SHA-256$rounds:salt$StoredKey:ServerKey``."""
    parts = [b64encode(part).decode() for part in (salt, stored, server)]
    return f"{_MECHANISM}${rounds}:{parts[0]}${parts[1]}:{parts[2]}".encode()


def parse_scram(verifier: bytes) -> tuple[int, bytes, bytes, bytes]:
    """Return rounds, salt, StoredKey and ServerKey. Raises ValueError for anything but a verifier."""
    mechanism, first, keys = verifier.decode().split("$")
    if mechanism != _MECHANISM:
        raise ValueError(f"a verifier of {mechanism}")
    rounds, salt = first.split(":")
    stored, server = keys.split(":")
    return int(rounds), b64decode(salt), b64decode(stored), b64decode(server)

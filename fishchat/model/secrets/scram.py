"""One login by SCRAM at the server (RFC 5802, 7677), with the channel binding ``tls-server-end-point``. No I/O.

The steps are the library's (``scramp``). This module adds the parts that the library leaves to its user: the choice of
the verifier, and that a missing account cannot be distinguished from an existing one.
"""

from __future__ import annotations

import hmac
from secrets import token_hex
from typing import Any

from scramp import ScramException, ScramMechanism

from fishchat.errors import ProtocolError, Refusal
from fishchat.model.names import is_name
from fishchat.model.secrets.passwords import pack_scram, parse_scram

PLAIN, PLUS = b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS"
_BINDING = "tls-server-end-point"


def account_of(first: bytes) -> bytes:
    """Return the account that a client's first message names. Raises ProtocolError for anything else."""
    try:
        _, acting_as, name, rest = first.split(b",", 3)
    except ValueError:
        raise _malformed() from None
    account = name[2:]
    if name[:2] != b"n=" or not is_name(account) or not rest.startswith(b"r="):
        raise _malformed()
    if acting_as:
        raise ProtocolError("AUTH", "an account cannot log in on behalf of another one; leave out a=")
    return account


def _malformed() -> ProtocolError:
    return ProtocolError("FIELDS", "the first message of SCRAM must look like n,,n=alice,r=<random characters>")


def decoy(key: bytes, account: bytes, rounds: int) -> bytes:
    """Return a verifier that no proof satisfies, the same each time, in the form of a real account's verifier."""
    salt, stored, server = (hmac.digest(key, part + account, "sha256") for part in (b"salt ", b"stored ", b"server "))
    return pack_scram(rounds, salt[:16], stored, server)


class Exchange:
    """The two steps of one login.

    :param binding: of this connection's TLS, None without TLS. A client with another binding is refused.
        ``SCRAM-SHA-256-PLUS`` needs one.
    :param nonce: the server's part of the nonce; a random one when None.
    """

    def __init__(self, mechanism: bytes, binding: bytes | None, verifier: bytes, nonce: str | None = None) -> None:
        self.mechanism = mechanism
        self._nonce = (token_hex(32) if nonce is None else nonce).encode()
        # The field with the complete nonce, which both sides repeat.
        self._complete: bytes | None = None
        rounds, salt, stored, server = parse_scram(verifier)
        self._server: Any = ScramMechanism(mechanism.decode()).make_server(
            lambda _: (salt, stored, server, rounds),
            channel_binding=None if binding is None else (_BINDING, binding),
            s_nonce=self._nonce.decode(),
        )

    def challenge(self, first: bytes) -> bytes:
        """Return the answer to the client's first message. Raises Refusal ``AUTH``."""
        try:
            self._server.set_client_first(first.decode())
            answer: str = self._server.get_server_first()
        except (ScramException, ValueError) as error:
            raise Refusal("AUTH", f"invalid first message of SCRAM: {_reason(error)}") from None
        challenge = answer.encode()
        # RFC 5802, section 5.1: the client's part of the nonce, which is not empty, then the server's. Which of these
        # rules the library checks depends on its version.
        own = first.split(b",")[3]
        complete = own + self._nonce
        if own == b"r=" or not challenge.startswith(complete + b","):
            raise Refusal("AUTH", "invalid first message of SCRAM: other-error")
        self._complete = complete
        return challenge

    def finish(self, final: bytes) -> bytes:
        """Return the answer to a right proof. Raises Refusal ``AUTH``."""
        parts = final.split(b",")
        # Section 7: the nonce is second, the proof last, so that nothing in the message is left unproved.
        if parts[1:2] != [self._complete] or not parts[-1].startswith(b"p="):
            raise Refusal("AUTH")
        try:
            self._server.set_client_final(final.decode())
            answer: str = self._server.get_server_final()
        except (ScramException, ValueError):
            raise Refusal("AUTH") from None
        return answer.encode()


def _reason(error: Exception) -> str:
    # An enumeration's member since version 1.5 of the library, before that its value.
    code = getattr(error, "server_error", None)
    return "" if code is None else str(getattr(code, "value", code))

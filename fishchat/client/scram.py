"""The client's side of SCRAM-SHA-256 (RFC 5802, 7677): to prove a password without saying it, and to be proved to.

Pure, but slow on purpose: ``final`` computes as many rounds of PBKDF2 as the server asks for, 0.2 s of CPU for the
usual 600,000. That is once in the lifetime of a token.
"""

from __future__ import annotations

from collections.abc import Collection
from secrets import token_hex
from typing import Any

from scramp import ScramClient, ScramException
from scramp.core import saslprep

from fishchat.features.requests import RefusedError

PLAIN, PLUS = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
#: Fewer would make the password easy to guess for whoever listens in; more would keep this program busy for seconds.
MIN_ROUNDS, MAX_ROUNDS = 4096, 5_000_000

_BINDING = "tls-server-end-point"


class Scram:
    """One attempt. Every method raises RefusedError when this server must not be logged in to.

    :param offered: the server's mechanisms.
    :param binding: what ties the attempt to the server's certificate; None without TLS.
    :param nonce: the client's part of the nonce; a random one when None.
    :ivar mechanism: the one that is used.
    """

    def __init__(
        self, account: str, password: str, offered: Collection[str], binding: bytes | None, nonce: str | None = None
    ) -> None:
        usable = [one for one in (PLUS, PLAIN) if one in offered and (binding is not None or one != PLUS)]
        if not usable:
            raise RefusedError("AUTH", "the server offers no way to log in by a password that is known here")
        # With a binding, but no PLUS among the mechanisms, the first message says so (flag y): a server that did offer
        # it learns that somebody on the way took it out.
        channel = None if binding is None else (_BINDING, binding)
        self._nonce = token_hex(16) if nonce is None else nonce
        try:
            # Before version 1.5 the library looks at the password only when it answers the challenge.
            saslprep(password)
            self._client: Any = ScramClient(usable, account, password, channel_binding=channel, c_nonce=self._nonce)
        except ScramException:
            raise RefusedError("PASSWORD", "the password contains a character that is not allowed") from None
        self.mechanism: str = self._client.mechanism_name

    def first(self) -> str:
        """The first message."""
        message: str = self._client.get_client_first()
        return message

    def final(self, challenge: str) -> str:
        """The proof that answers the server's first message."""
        self._check_nonce(challenge)
        try:
            self._client.set_server_first(challenge)
        except ScramException as error:
            raise RefusedError("AUTH", f"the server's first message of SCRAM is refused: {error}") from None
        rounds = int(self._client.iterations)
        if not MIN_ROUNDS <= rounds <= MAX_ROUNDS:
            raise RefusedError("AUTH", f"the server asks for {rounds} rounds of SCRAM: too few or too many")
        message: str = self._client.get_client_final()
        return message

    def _check_nonce(self, challenge: str) -> None:
        # RFC 5802, section 5.1: the nonce begins with the client's part and goes on with the server's. Before version
        # 1.5 the library accepts a challenge without the server's part.
        own, nonce = f"r={self._nonce}", challenge.partition(",")[0]
        if not nonce.startswith(own) or nonce == own:
            raise RefusedError("AUTH", "the server's first message of SCRAM does not extend this client's nonce")

    def check(self, signature: str) -> None:
        """Check by the server's last message that the server knows the password too."""
        if not signature.isascii():
            # Before version 1.5 the library fails on such a message instead of refusing it.
            raise RefusedError("AUTH", "the server does not prove that it knows the password")
        try:
            self._client.set_server_final(signature)
        except ScramException:
            raise RefusedError("AUTH", "the server does not prove that it knows the password") from None

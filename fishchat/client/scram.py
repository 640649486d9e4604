"""The client's side of SCRAM-SHA-256 (RFC 5802, 7677): mutual proof of a password without sending it.

This module is pure, but slow on purpose: ``final`` computes as many rounds of PBKDF2 as the server requires. The usual
600,000 rounds take 0.2 s of CPU, once in the lifetime of a token.
"""

from __future__ import annotations

from collections.abc import Collection
from secrets import token_hex
from typing import Any

from scramp import ScramClient, ScramException

from fishchat.features.requests import RefusedError
from fishchat.model.secrets.letters import prepare

PLAIN, PLUS = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
#: Fewer rounds would let an eavesdropper guess the password easily; more would keep this program busy for seconds.
MIN_ROUNDS, MAX_ROUNDS = 4096, 5_000_000

_BINDING = "tls-server-end-point"


class Scram:
    """One attempt to log in. Every method raises RefusedError if the client must not log in to this server.

    :param offered: the server's mechanisms.
    :param binding: the channel binding of the attempt to the server's certificate; None without TLS.
    :param nonce: the client's part of the nonce; None: a random one.
    :ivar mechanism: the mechanism of this attempt.
    """

    def __init__(
        self, account: str, password: str, offered: Collection[str], binding: bytes | None, nonce: str | None = None
    ) -> None:
        usable = [one for one in (PLUS, PLAIN) if one in offered and (binding is not None or one != PLUS)]
        if not usable:
            raise RefusedError("AUTH", "the server offers no way to log in by a password that is known here")
        # With a binding, but no PLUS among the mechanisms, the first message says so (flag y). A server that did offer
        # PLUS then detects that an attacker removed it.
        channel = None if binding is None else (_BINDING, binding)
        self._nonce = token_hex(16) if nonce is None else nonce
        try:
            # Before version 1.5 the library checks the password only when it answers the challenge.
            prepare(password)
        except ValueError as error:
            raise RefusedError("PASSWORD", str(error)) from None
        self._client: Any = ScramClient(usable, account, password, channel_binding=channel, c_nonce=self._nonce)
        self.mechanism: str = self._client.mechanism_name

    def first(self) -> str:
        """Return the client's first message."""
        message: str = self._client.get_client_first()
        return message

    def final(self, challenge: str) -> str:
        """Return the proof that answers the server's first message."""
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
        # RFC 5802, section 5.1: the nonce begins with the client's part and ends with the server's. Before version
        # 1.5 the library accepts a challenge without the server's part.
        own, nonce = f"r={self._nonce}", challenge.partition(",")[0]
        if not nonce.startswith(own) or nonce == own:
            raise RefusedError("AUTH", "the server's first message of SCRAM does not extend this client's nonce")

    def check(self, signature: str) -> None:
        """Check the server's last message, which proves that the server knows the password too."""
        if not signature.isascii():
            # Before version 1.5 the library fails on such a message instead of refusing it.
            raise RefusedError("AUTH", "the server does not prove that it knows the password")
        try:
            self._client.set_server_final(signature)
        except ScramException:
            raise RefusedError("AUTH", "the server does not prove that it knows the password") from None

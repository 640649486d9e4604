"""A client of SCRAM-SHA-256 written from RFC 5802 and RFC 7677 alone, so that it shares no mistake with the server."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode


class ScramClient:
    """One login by SCRAM.

    :param binding: the data of ``tls-server-end-point``; with it the mechanism is ``SCRAM-SHA-256-PLUS``.
    :param flag: the flag about channel binding without one: ``n`` (unsupported) or ``y`` (supported by the client).
    """

    def __init__(
        self, name: str, password: str, binding: bytes | None = None, nonce: str | None = None, flag: str = "n"
    ) -> None:
        self.password = password.encode()
        self.nonce = nonce or b64encode(secrets.token_bytes(18)).decode().replace(",", "")
        self.header = (f"{flag},,".encode()) if binding is None else b"p=tls-server-end-point,,"
        self.binding = binding or b""
        self.bare = f"n={name},r={self.nonce}"
        self.mechanism = "SCRAM-SHA-256" if binding is None else "SCRAM-SHA-256-PLUS"
        self.salt, self.rounds = b"", 0

    @property
    def first(self) -> str:
        """Return the client-first-message."""
        return self.header.decode() + self.bare

    def final(self, challenge: str) -> str:
        """Return the client-final-message for the server-first-message."""
        said = dict(part.split("=", 1) for part in challenge.split(","))
        assert said["r"].startswith(self.nonce) and len(said["r"]) > len(self.nonce), challenge
        self.salt, self.rounds = b64decode(said["s"]), int(said["i"])
        salted = hashlib.pbkdf2_hmac("sha256", self.password, self.salt, self.rounds)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c={b64encode(self.header + self.binding).decode()},r={said['r']}"
        message = ",".join((self.bare, challenge, without_proof)).encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self.expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
        return f"{without_proof},p={b64encode(proof).decode()}"

    def accepts(self, verdict: str) -> bool:
        """Return whether the server has proved that it knows the verifier."""
        return verdict.startswith("v=") and hmac.compare_digest(b64decode(verdict[2:]), self.expected)

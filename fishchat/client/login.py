"""The login, from the greeting to success. The server's offers and the known secrets decide each step. Pure.

A token is tried first: the token of this device from an earlier login, or one passed as the secret. Without a token, or
if it is refused, the client proves the secret by SCRAM, which takes a moment (see ``scram``), and the server issues a
token. The secret itself is sent only to a server that offers no SCRAM because it requires no secret. The caller makes
sure that secrets may be sent on the connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from fishchat.client.scram import Scram
from fishchat.features.requests import RefusedError, Reply, is_line_text, name_of
from fishchat.features.session.rows import HELLO, SEND_AUTH, SEND_CLIENT_ID
from fishchat.model.secrets.tokens import is_token

_TOKEN = re.compile(r"fct_[A-Za-z0-9_-]{1,128}")
_SHOWN = re.compile(r"fct_[^\s'\"]+|(?<=token=)[^\s'\"]+")

#: The next command: the verb that the reply repeats, and the line.
Step = tuple[bytes, bytes]


def masked(text: str) -> str:
    """Return ``text`` with every token masked, so that it can be shown."""
    return _SHOWN.sub("…", text)


class Login:
    """The secrets of one device, and the progress of its login on this connection.

    The form of names and secret is checked here (RefusedError, ValueError), so that a refused login is always a
    decision of the server.

    :param capabilities: the capabilities to ask for besides ``ack``; a server that has them not is used all the same.
    :ivar token: the token of this device, which the caller saves.
    :ivar changed: whether it differs from the token that was saved last.
    """

    def __init__(self, account: str, device: str, secret: str | None, capabilities: Sequence[bytes] = ()) -> None:
        self._caps = b",".join((b"caps=ack", *capabilities))
        self._account, self._device = name_of(account), name_of(device)
        if secret is not None and not is_line_text(secret):
            raise ValueError("a secret is a text without line ends and control characters")
        given = secret is not None and is_token(secret.encode())
        self._password = None if given else secret
        self._given = secret if given else None
        self.token: str | None = None
        self.changed = False
        self.connected()

    def connected(self) -> None:
        """Start over for a new connection, on which nothing was sent yet."""
        self._binding: bytes | None = None
        self._offered: frozenset[str] = frozenset()
        self._agreed = False
        self._by_token = False
        self._then: Callable[[Reply], Step | None] = self._hello

    def secured(self, binding: bytes | None) -> None:
        """Record that the connection has TLS; ``binding`` is that to the server's certificate, or None."""
        self._binding = binding

    def greeted(self, rest: bytes) -> Step:
        """Process the greeting and return the first command. Raises RefusedError."""
        told = dict(word.split("=", 1) for word in rest.decode().split(" ") if "=" in word)
        self._offered = frozenset(filter(None, told.get("sasl", "").split(",")))
        return self.again()

    def again(self) -> Step:
        """Return the command for another attempt. Raises RefusedError."""
        if not self._agreed:
            self._then = self._hello
            return HELLO.name, HELLO.line(b"1", text=self._caps)
        token = self.token if self._given is None else self._given
        self._by_token = token is not None
        if token is None and self._password is not None and self._offered:
            return self._prove(self._password)
        self._then = self._let_in
        secret = (self._password if token is None else token) or ""
        line = SEND_CLIENT_ID.line(self._account, text=secret.encode(), tags={b"device": self._device})
        return SEND_CLIENT_ID.name, line

    def answered(self, reply: Reply) -> Step | None:
        """Return the next command; None: logged in. Raises RefusedError, or ValueError for an invalid reply."""
        error = reply.error
        if error is None:
            return self._then(reply)
        if error.word == "AUTH" and self._by_token and self.forget():
            return self.again()
        raise error

    def forget(self) -> bool:
        """Discard the saved token if there is a password to log in by instead. Return whether there is one."""
        # Without a password the token is kept: a disabled account may be enabled again.
        if self._password is None:
            return False
        self._remember(None)
        return True

    def renew(self, password: str) -> None:
        """Use ``password`` from now on."""
        self._password = password

    def _hello(self, reply: Reply) -> Step:
        told = dict(word.partition(b"=")[::2] for word in reply.rest.split(b" "))
        if b"ack" not in told.get(b"caps", b"").split(b","):
            raise RefusedError("VERSION", "the server does not offer caps=ack")
        self._agreed = True
        return self.again()

    def _prove(self, password: str) -> Step:
        scram = Scram(self._account.decode(), password, self._offered, self._binding)
        mechanism = scram.mechanism.encode()

        def challenged(reply: Reply) -> Step:
            self._then = proved
            return SEND_AUTH.name, SEND_AUTH.line(mechanism, text=scram.final(reply.rest.decode()).encode())

        def proved(reply: Reply) -> None:
            scram.check(reply.rest.decode().partition(" ")[0])
            self._let_in(reply)

        self._then = challenged
        first = SEND_AUTH.line(mechanism, text=scram.first().encode(), tags={b"device": self._device})
        return SEND_AUTH.name, first

    def _let_in(self, reply: Reply) -> None:
        for word in reply.rest.decode().split(" "):
            key, _, value = word.partition("=")
            if key == "token":
                if _TOKEN.fullmatch(value) is None:
                    raise ValueError("what should be a token is none")
                self._remember(value)

    def _remember(self, token: str | None) -> None:
        if token != self.token:
            self.token, self.changed = token, True

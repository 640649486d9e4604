"""Create accounts on servers that allow it: with an invitation, or by open sign-up."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.protocol import Factory

from fishchat.client.addresses import ask_gateway
from fishchat.client.events import ClientError
from fishchat.client.link import Link
from fishchat.client.login import masked
from fishchat.client.replies import parse_error
from fishchat.client.security import Security, Tls
from fishchat.features.accounts import client as accounts
from fishchat.features.accounts.rows import CREATE_CLIENT

#: Seconds to wait for the reply. The server hashes the password, perhaps after the passwords of other clients.
PATIENCE = 10.0


async def create_account(
    account: str,
    password: str,
    *,
    invite: str | None = None,
    gateway: str | None = None,
    server: str = "127.0.0.1:19000",
    tls: Tls = None,
    reactor: Any,
) -> None:
    """Create ``account``. A ``Client`` with the password as its ``secret`` can then log in.

    With a ``gateway``, the gateway chooses the server. ``tls`` has the same meaning as for ``Client``. Raises
    RefusedError: ``EXISTS``, ``INVITATION`` (a code is required, or this code is not valid), ``PASSWORD``, or
    ``TRYAGAIN``, ``FLOOD`` and ``SIGNUPS``, which include the time to wait (``retry``). Raises ClientError if no reply
    was received; the account may exist nevertheless. Also raises the errors of connecting.
    """
    line = accounts.create_account(account, password, invite).line
    security = Security(tls)
    if gateway is not None:
        server = (await ask_gateway(reactor, gateway, security))[0]
    factory = Factory.forProtocol(lambda: _SignUp(line, security, server))
    factory.noisy = False
    connection: Any = await security.endpoint(reactor, server).connect(factory)
    connection.answer.addTimeout(PATIENCE, reactor)
    try:
        await connection.answer
    except (TimeoutError, CancelledError):
        raise ClientError(f"no answer from {server}") from None
    finally:
        connection.abort()


class _SignUp(Link):
    """A connection that sends one command after the server's greeting."""

    def __init__(self, line: bytes, security: Security, address: str) -> None:
        super().__init__()
        self.answer: Deferred[None] = Deferred()
        self._line = line
        self._security = security
        self._address = address

    def received(self, lines: list[bytes]) -> None:
        for line in lines:
            verb, _, rest = line.partition(b" ")
            if verb == b"HELLO":
                self.send([self._line])
            elif (verb, rest.partition(b" ")[0]) == (b"OK", CREATE_CLIENT.name):
                self._answer(None)
            elif verb == b"ERR":
                self._answer(parse_error(rest.partition(b" ")[2]))
            else:
                self._answer(ClientError(f"{self._address} says {masked(repr(line[:80]))}"))

    def lost(self, reason: BaseException | None) -> None:
        why = self._security.failure(self._address, reason)
        self._answer(why or ClientError(f"{self._address} closed the connection"))

    def _answer(self, answer: ClientError | None) -> None:
        if self.answer.called:
            return
        if answer is None:
            self.answer.callback(None)
        else:
            self.answer.errback(answer)

"""Choose the msg_server to connect to: one named by a server, the gateway's choice, or the next of a fixed list."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory

from fishchat.client.events import ClientError
from fishchat.client.link import Link
from fishchat.client.replies import parse_error
from fishchat.client.security import CONNECT_TIMEOUT, Security, split_address


class GatewayQuestion(Link):
    """A single request to a gateway. ``answer`` fires with the addresses, or fails with ClientError."""

    def __init__(self, security: Security, gateway: str) -> None:
        super().__init__()
        self.answer: Deferred[list[str]] = Deferred()
        self._security = security
        self._gateway = gateway

    def opened(self) -> None:
        """Send the request for addresses."""
        self.send([b"REQ_MSG_SERVER"])

    def received(self, lines: list[bytes]) -> None:
        """Process the reply. The greeting and unknown lines are ignored."""
        for line in lines:
            verb, _, rest = line.partition(b" ")
            if verb == b"SELECT_MSG_SERVER_FOR_CLIENT":
                self._answer(rest.decode("utf-8", "replace").split())
            elif verb == b"ERR":
                self._answer(parse_error(rest.partition(b" ")[2]))

    def lost(self, reason: BaseException | None) -> None:
        """Fail ``answer`` if no reply was received."""
        why = self._security.failure(self._gateway, reason)
        self._answer(why or ClientError("the gateway closed the connection"))

    def _answer(self, answer: list[str] | ClientError) -> None:
        if self.answer.called:
            return
        if isinstance(answer, ClientError):
            self.answer.errback(answer)
        else:
            self.answer.callback(answer)


async def ask_gateway(reactor: Any, gateway: str, security: Security) -> list[str]:
    """Return the msg_servers that ``gateway`` names. Raises ClientError, ValueError or the errors of connecting."""
    factory = Factory.forProtocol(lambda: GatewayQuestion(security, gateway))
    factory.noisy = False
    question: Any = await security.endpoint(reactor, gateway).connect(factory)
    question.answer.addTimeout(CONNECT_TIMEOUT, reactor)
    try:
        addresses: list[str] = await question.answer
    finally:
        question.abort()
    for address in addresses:
        split_address(address)
    if not addresses:
        raise ClientError("the gateway named no server")
    return addresses


class Addresses:
    """The addresses to connect to. A failed server is tried last but never skipped: it may be the only one."""

    def __init__(self, reactor: Any, gateway: str | None, servers: Sequence[str], security: Security) -> None:
        self._reactor = reactor
        self._security = security
        self._gateway = gateway
        self._fixed = tuple(servers)
        for address in (*self._fixed, *([gateway] if gateway else [])):
            split_address(address)
        if gateway is None and not self._fixed:
            raise ValueError("neither a gateway nor a server to connect to")
        self._next: deque[str] = deque()
        self._last: str | None = None
        self._failed: str | None = None

    def prefer(self, address: str | None) -> None:
        """Set the next address to ``address``; None: the choice of the gateway or of the list at that time."""
        self._next = deque([] if address is None else [address])

    def worked(self, address: str) -> None:
        """Record that the login at ``address`` succeeded."""
        self._last, self._failed = address, None
        # A gateway decides each time. From a fixed list, the server that works is used again.
        self.prefer(None if self._gateway else address)

    def failed(self, address: str) -> None:
        """Record that ``address`` did not answer, or did not answer usefully."""
        self._failed = address

    async def choose(self) -> str:
        """Return the address to try now. Raises the errors of ``ask_gateway`` if no other address is known."""
        if not self._next:
            self._next.extend(self._ordered(await self._known()))
        return self._next.popleft()

    async def _known(self) -> Iterable[str]:
        if self._gateway is None:
            return self._fixed
        try:
            return await ask_gateway(self._reactor, self._gateway, self._security)
        except CancelledError:
            raise
        except Exception as error:
            self._security.warn(error)
            # The servers may work while the gateway does not.
            if self._last is None:
                raise
            return [self._last]

    def _ordered(self, addresses: Iterable[str]) -> list[str]:
        return sorted(addresses, key=lambda address: address == self._failed)

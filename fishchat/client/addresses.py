"""Which msg_server to connect to: the one that a server named, the gateway's choice, or the next of a fixed list."""

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
    """One question to a gateway; ``answer`` fires with the addresses, or fails with ClientError."""

    def __init__(self, security: Security, gateway: str) -> None:
        super().__init__()
        self.answer: Deferred[list[str]] = Deferred()
        self._security = security
        self._gateway = gateway

    def opened(self) -> None:
        """Send the question."""
        self.send([b"REQ_MSG_SERVER"])

    def received(self, lines: list[bytes]) -> None:
        """Take the answer; the greeting and anything unknown is passed over."""
        for line in lines:
            verb, _, rest = line.partition(b" ")
            if verb == b"SELECT_MSG_SERVER_FOR_CLIENT":
                self._answer(rest.decode("utf-8", "replace").split())
            elif verb == b"ERR":
                self._answer(parse_error(rest.partition(b" ")[2]))

    def lost(self, reason: BaseException | None) -> None:
        """Fail, if there was no answer."""
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
    """The msg_servers that ``gateway`` names. Raises ClientError, ValueError or what connecting may fail with."""
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
    """Where to connect next. A server that failed comes last, never not at all: it may be the only one."""

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
        """Connect to ``address`` next; None: where the gateway or the list says then."""
        self._next = deque([] if address is None else [address])

    def worked(self, address: str) -> None:
        """The login at ``address`` succeeded."""
        self._last, self._failed = address, None
        # With a gateway it decides each time; of a fixed list the one that works is taken again.
        self.prefer(None if self._gateway else address)

    def failed(self, address: str) -> None:
        """``address`` did not answer, or not usefully."""
        self._failed = address

    async def choose(self) -> str:
        """The address to try now. Raises what asking the gateway may fail with, when there is nothing else to try."""
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
            # The servers may be well while the gateway is not.
            if self._last is None:
                raise
            return [self._last]

    def _ordered(self, addresses: Iterable[str]) -> list[str]:
        return sorted(addresses, key=lambda address: address == self._failed)

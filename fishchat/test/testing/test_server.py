"""The server in this process, as people use it who test their bots."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.error import ConnectError
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, HTTPConnectionPool, readBody

import fishchat
from fishchat.client import Client, Message, RefusedError
from fishchat.services.net.listen import ListenError
from fishchat.testing import Server

#: The page whose example is run.
PAGE = Path(fishchat.__file__).parent.parent / "doc" / "client.md"


class ServerTests(TestCase):
    timeout = 60

    async def client(self, account: str, device: str = "main", **options: Any) -> Client:
        """Return a client that is logged in; it is stopped at the end."""
        client = Client(account, device=device, reactor=reactor, **options)
        self.addCleanup(client.stop)
        await client.start()
        return client

    async def test_example_of_the_page(self) -> None:
        """The example in doc/client.md passes as it stands."""
        if not PAGE.exists():
            self.skipTest("the pages are not installed with the package")
        section = PAGE.read_text("utf-8").partition("## Testing a bot")[2]
        [code] = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
        names: dict[str, Any] = {}
        exec(code, names)
        case = names["EchoTests"]("test_echo")
        await case.test_echo()

    async def test_gateway(self) -> None:
        """The gateway names the msg_server by its real port, and accounts are spread over two clients."""
        async with Server() as server:
            messages: DeferredQueue[Message] = DeferredQueue()
            bob = await self.client("bob", gateway=server.gateway)
            bob.on_message = messages.put
            alice = await self.client("alice", gateway=server.gateway)
            await alice.send("bob", "hello")
            self.assertEqual((await messages.get()).text, "hello")
            await alice.stop()
            await bob.stop()

    async def test_monitor(self) -> None:
        """The monitor answers on its address."""
        async with Server() as server:
            agent = Agent(reactor, pool=HTTPConnectionPool(reactor, persistent=False))
            response = await agent.request(b"GET", f"http://{server.monitor}/healthz".encode())
            self.assertEqual(response.code, 200)
            await readBody(response)

    async def test_settings(self) -> None:
        """Settings are those of the configuration: an unknown account is refused where accounts are closed."""
        async with Server({"accounts.mode": "closed"}) as server:
            client = Client("alice", secret="wrong", servers=[server.address], reactor=reactor)
            await self.assertFailure(client.start(), RefusedError)

    async def test_nothing_is_left(self) -> None:
        """After the end nobody listens and the data are gone; two servers can run side by side."""
        async with Server() as first, Server() as second:
            self.assertNotEqual(first.address, second.address)
        self.assertFalse(first.data.exists() or second.data.exists())
        agent = Agent(reactor, pool=HTTPConnectionPool(reactor, persistent=False))
        await self.assertFailure(agent.request(b"GET", f"http://{first.monitor}/".encode()), ConnectError)

    async def test_failing_start(self) -> None:
        """A start that fails says why and leaves nothing."""
        async with Server() as first:
            second = Server({"msg_server.listen": first.address})
            await self.assertFailure(Deferred.fromCoroutine(second.start()), ListenError)
            self.assertFalse(second.data.exists())

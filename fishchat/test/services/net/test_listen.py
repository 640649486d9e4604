"""A port that cannot be had is explained."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from fishchat.services.net.listen import Listener, ListenError


def listener(address: str) -> Listener:
    """One for a protocol that says nothing."""
    return Listener(address, Factory.forProtocol(Protocol), "msg_server.listen", reactor)


class ListenerTests(TestCase):
    def started(self, address: str) -> Listener:
        """A running one that ends with the test."""
        one = listener(address)
        one.privilegedStartService()
        one.startService()
        self.addCleanup(one.stopService)
        return one

    def test_port_zero_tells_the_real_port(self) -> None:
        """With port 0 the system chooses, and ``port`` says what."""
        self.assertGreater(self.started("127.0.0.1:0").port, 0)

    def test_start_alone_is_enough(self) -> None:
        """A service that was not started with privileges binds in startService."""
        one = listener("127.0.0.1:0")
        one.startService()
        self.addCleanup(one.stopService)
        self.assertGreater(one.port, 0)

    def test_taken_port_names_address_and_key(self) -> None:
        """The text says which address, why, and which key to change, also as an environment variable."""
        port = self.started("127.0.0.1:0").port
        error = self.assertRaises(ListenError, listener(f"127.0.0.1:{port}").privilegedStartService)
        self.assertIn(f"127.0.0.1:{port}", str(error))
        self.assertIn("another program uses this port", str(error))
        self.assertIn("`msg_server.listen` (FISHCHAT__MSG_SERVER__LISTEN)", str(error))

    def test_uncaught_it_is_a_text_and_exit_code_one(self) -> None:
        """``twistd`` catches it not: Python prints a SystemExit whose code is a text, and exits with 1."""
        error = self.assertRaises(ListenError, listener("192.0.2.1:0").startService)
        self.assertIsInstance(error, SystemExit)
        self.assertEqual(error.code, str(error))

    def test_foreign_address(self) -> None:
        """An address that this machine does not have is explained as that (192.0.2.0/24 is nobody's)."""
        error = self.assertRaises(ListenError, listener("192.0.2.1:0").startService)
        self.assertIn("no such address", str(error))

    def test_stop_frees_the_port(self) -> None:
        """After stopService another one can have it."""

        async def scenario() -> None:
            first = listener("127.0.0.1:0")
            first.startService()
            await first.stopService()
            self.assertEqual(self.started(f"127.0.0.1:{first.port}").port, first.port)

        return ensureDeferred(scenario())  # type: ignore[return-value]

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from fishchat.storage.redis import Connection, ReplyError, Script, Unavailable, parse_url
from fishchat.storage.script import Scripts, script
from fishchat.test.storage.test_redis import ConnectionCase
from fishchat.test.support.redis_fixture import shared_redis
from fishchat.test.support.waiting import until

PUSH = Script("push", b"return redis.call('RPUSH', 'list', cmsgpack.unpack(ARGV[1])[1])")
ECHO = Script("echo", b"return cmsgpack.unpack(ARGV[1])[1]")
BROKEN = Script("broken", b"this is no Lua")


class ScriptTests(ConnectionCase):
    """Scripts run by name and in order, whatever Redis forgot."""

    async def connect(self, *scripts: Script) -> Connection:
        """Connected to the shared Redis."""
        connection = self.start(shared_redis().url, scripts=scripts)
        await connection.when_connected()
        return connection

    async def test_loaded_on_connect(self) -> None:
        """Scripts are known before the first call, and again after a reconnection."""
        connection = await self.connect(PUSH, ECHO)
        server = shared_redis()
        await connection.run("PING")
        server.command("SCRIPT", "LOAD", b"return 1")
        connection.drop("test")
        await until(lambda: connection.connected)
        self.assertEqual(await connection.run("SCRIPT", "EXISTS", PUSH.sha, ECHO.sha), [1, 1])

    async def test_call(self) -> None:
        """Arguments arrive as bytes, the reply comes back as it is."""
        connection = await self.connect(PUSH, ECHO)
        self.assertEqual(await connection.call(PUSH, b"007"), 1)
        self.assertEqual(await connection.call(ECHO, b"\xff\x00"), b"\xff\x00")
        self.assertEqual(await connection.run("LRANGE", "list", 0, -1), [b"007"])

    async def test_not_loaded_before(self) -> None:
        """A script that nobody announced is loaded when it is called."""
        connection = await self.connect()
        self.assertEqual(await connection.call(ECHO, b"x"), b"x")

    async def test_order_after_flush(self) -> None:
        """Somebody flushed the scripts: every call is done once, in the order of the calls."""
        connection = await self.connect(PUSH)
        results: list[Any] = [connection.call(PUSH, n) for n in range(3)]
        flushed = connection.run("SCRIPT", "FLUSH")
        # These find the script gone; the last ones are called while that becomes known.
        results += [connection.call(PUSH, n) for n in range(3, 6)]
        more: list[Any] = []
        flushed.addCallback(lambda _: more.extend(connection.call(PUSH, n) for n in range(6, 9)))
        await flushed
        replies = await gatherResults(results)
        self.assertEqual(replies, [1, 2, 3, 4, 5, 6])
        self.assertEqual(await gatherResults(more), [7, 8, 9])
        self.assertEqual(await connection.run("LRANGE", "list", 0, -1), [b"%d" % n for n in range(9)])

    async def test_order_with_calls_between_the_answers(self) -> None:
        """A call made when the first of several missing scripts is noticed does not overtake the others."""
        connection = await self.connect(PUSH)
        await connection.run("SCRIPT", "FLUSH")
        results: list[Any] = []

        def run(*command: Any) -> Deferred[Any]:
            answer: Deferred[Any] = Deferred()

            def noticed(failure: Failure) -> None:
                answer.errback(failure)
                if len(results) < 6:
                    results.append(scripts.call(PUSH, (len(results),)))

            connection.run(*command).addCallbacks(answer.callback, noticed)
            return answer

        scripts = Scripts(run)
        results += [scripts.call(PUSH, (n,)) for n in range(3)]
        await until(lambda: len(results) == 6)
        self.assertEqual(await gatherResults(results), [1, 2, 3, 4, 5, 6])
        self.assertEqual(await connection.run("LRANGE", "list", 0, -1), [b"%d" % n for n in range(6)])

    async def test_cannot_be_loaded(self) -> None:
        """A script with a mistake fails its calls, not the connection and not the others."""
        connection = await self.connect(ECHO)
        broken = connection.call(BROKEN)
        fine = connection.call(ECHO, b"x")
        error = await self.assertFailure(broken, ReplyError)
        self.assertEqual(error.word, "NOSCRIPT")
        self.assertEqual(await fine, b"x")

    async def test_away(self) -> None:
        """Fails as any command does."""
        connection = Connection(parse_url("unix:///nowhere/redis.sock"), scripts=[ECHO])
        self.failureResultOf(connection.call(ECHO), Unavailable)

    async def test_own_error(self) -> None:
        """A script's own error is a refusal with its word."""
        connection = await self.connect()
        error = await self.assertFailure(
            connection.call(Script("odd", b"return redis.error_reply('ODD thing')")), ReplyError
        )
        self.assertEqual(error.word, "ODD")

    def test_missing_file(self) -> None:
        """A script without a file is noticed when it is named."""
        self.assertRaises(FileNotFoundError, script, "topics/no-such-script")

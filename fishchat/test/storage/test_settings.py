from __future__ import annotations

from typing import get_args

from fishchat.storage.redis import Connection, Unavailable, parse_url
from fishchat.storage.settings import Durability, check_settings, demanded
from fishchat.test.storage.test_redis import ConnectionCase
from fishchat.test.support.fake_redis import FakeConnection
from fishchat.test.support.redis_fixture import RedisServer, executables


class CheckSettings(ConnectionCase):
    """A Redis that would break a promise is refused in words that help."""

    async def problems(self, server: RedisServer, durability: Durability = "fsync") -> list[str]:
        """What is said of ``server``."""
        connection = self.start(server.url)
        await connection.when_connected()
        return await check_settings(connection, durability)

    async def test_embedded_is_fine(self) -> None:
        """What we start ourselves has no problem, in any version, in both classes."""
        for executable in executables():
            for durability in get_args(Durability):
                server = RedisServer(executable, durability)
                self.addCleanup(server.close)
                self.assertEqual(await self.problems(server, durability), [])

    async def test_each_setting(self) -> None:
        """Each wrong setting is named, with the value it must have and the command that gives it."""
        server = self.own_redis()
        wrong = {
            "appendonly": "no",
            "appendfsync": "everysec",
            "no-appendfsync-on-rewrite": "yes",
            "maxmemory-policy": "allkeys-lru",
            "save": "3600 1",
        }
        self.assertEqual(set(wrong), set(demanded("fsync")))
        for name, value in wrong.items():
            server.command("CONFIG", "SET", name, value)
            problems = await self.problems(server)
            self.assertEqual(len(problems), 1, problems)
            right = demanded("fsync")[name] or '""'
            self.assertIn(f"CONFIG SET {name} {right}", problems[0])
            shown = f'"{value}"' if " " in value else value
            self.assertTrue(problems[0].startswith(f"{name} is {shown}, must be {right}: "), problems)
            server.command("CONFIG", "SET", name, demanded("fsync")[name])
        self.assertEqual(await self.problems(server), [])

    async def test_class_everysec(self) -> None:
        """The other class wants its own setting."""
        problems = await self.problems(self.own_redis(), "everysec")
        self.assertEqual(len(problems), 1)
        self.assertIn("appendfsync is always, must be everysec", problems[0])

    async def test_config_forbidden(self) -> None:
        """A Redis that does not let us look is refused, with what it would have to say."""
        server = self.own_redis()
        server.command("ACL", "SETUSER", "default", "-config")
        problems = await self.problems(server)
        self.assertEqual(len(problems), 1)
        self.assertIn("refuses CONFIG GET", problems[0])
        self.assertIn("appendfsync always", problems[0])

    async def test_info_forbidden(self) -> None:
        """So is one that does not tell its version."""
        server = self.own_redis()
        server.command("ACL", "SETUSER", "default", "-info")
        problems = await self.problems(server)
        self.assertEqual(len(problems), 1)
        self.assertIn("does not report its version", problems[0])

    async def test_replica(self) -> None:
        """Nothing can be stored on a replica."""
        server = self.own_redis()
        server.command("REPLICAOF", "127.0.0.1", 1)
        problems = await self.problems(server)
        self.assertEqual(problems, ["it is a replica: use its primary"])

    async def test_old(self) -> None:
        """Older than 6.2, clustered, and silent about its settings: three problems and more."""

        def answer(connection: FakeConnection, number: int, command: list[bytes]) -> None:
            if command[0] == b"INFO":
                info = b"redis_version:6.0.16\r\nredis_mode:cluster\r\nrole:master\r\n"
                connection.say(b"$%d\r\n%s\r\n" % (len(info), info))
            else:
                connection.say(b"+PONG\r\n" if command[0] == b"PING" else b"*0\r\n")

        connection = self.start(self.fake_redis(answer).url)
        await connection.when_connected()
        problems = await check_settings(connection, "fsync")
        self.assertEqual(problems[0], "it is Redis 6.0.16: use 6.2 or newer, or Valkey")
        self.assertIn("cluster mode", problems[1])
        self.assertIn("it does not report appendonly, which must be yes", problems)

    async def test_away(self) -> None:
        """A Redis that is away is no problem of settings."""
        connection = Connection(parse_url("unix:///nowhere/redis.sock"))
        self.failureResultOf(check_settings(connection, "fsync"), Unavailable)

"""``fishchat retention``: what is due, shown and removed."""

from __future__ import annotations

from pathlib import Path

from fishchat.test.support.redis_fixture import shared_redis
from fishchat.test.support.user_runner import Commands


class Retention(Commands):
    """The command on a store with messages of which all but one are too old."""

    words = ("retention",)

    def setUp(self) -> None:
        """Two old messages, and a new one."""
        self.data = Path(self.mktemp()).absolute()
        self.redis = shared_redis()
        now = int(self.redis.command("TIME")[0]) * 1000
        for number, stamp in enumerate((now - 400 * 86_400_000, now - 399 * 86_400_000, now), 1):
            self.redis.command("XADD", "log:alice+bob", f"1-{number}", "t", stamp, "m", "alice main -1 - x")
        self.env = {"FISHCHAT__REDIS__URL": self.redis.url}

    async def test_show(self) -> None:
        """Without --now nothing is removed: clock, messages, what is due, and why the manager leaves it."""
        for options in ([], ["--dry-run"], ["--now", "--dry-run", "--yes"]):
            said = await self.good(*options, env=self.env)
            self.assertIn("messages      3 in 1 conversation\n", said.out)
            self.assertIn("due           2 in 1 conversation\n", said.out)
            self.assertIn("The manager removes nothing: 2 of 3 messages would go", said.out)
            self.assertEqual(self.redis.command("XLEN", "log:alice+bob"), 3)

    async def test_now(self) -> None:
        """--now removes what is due after a confirmation."""
        said = await self.ended("--now", env=self.env)
        self.assertEqual(said.status, 1)
        self.assertIn("nothing was removed: confirm with --yes", said.err)
        self.assertEqual(self.redis.command("XLEN", "log:alice+bob"), 3)
        said = await self.good("--now", "--yes", env=self.env)
        self.assertIn("removed 2 messages\n", said.out)
        self.assertEqual(self.redis.command("XLEN", "log:alice+bob"), 1)

    async def test_asked(self) -> None:
        """At a terminal the command asks."""
        running = self.start("--now", terminal=True, env=self.env)
        await running.type(b"Remove 2 messages permanently? [y/N]: ", "y")
        said = await running.ended
        self.assertEqual(said.status, 0, said)
        self.assertEqual(self.redis.command("XLEN", "log:alice+bob"), 1)

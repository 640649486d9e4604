"""Which messages are in Redis' append-only file, and which of them a cut takes away."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.lab.aof import messages, newest


def command(*words: str) -> bytes:
    """Return a command as Redis writes it."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def stored(number: int, text: str, kind: str = "-") -> bytes:
    """Return the command that stores a message."""
    return command("XADD", "log:al+bob", f"7-{number}", "t", "1000", "m", f"al main {number} {kind} {text}")


class MessagesTests(SynchronousTestCase):
    def test_commands(self) -> None:
        """Messages are found by conversation, epoch and number, with their text as it was meant."""
        content = command("SELECT", "0") + stored(1, "one word") + command("SET", "epoch", "7")
        content += b"#TS:1700000000\r\n" + stored(2, "two\\nlines", "e") + command("XADD", "route:0", "7-1", "b", "x")
        self.assertEqual(messages(content), {("al+bob", 7, 1): "one word", ("al+bob", 7, 2): "two\nlines"})

    def test_operations(self) -> None:
        """Operations on messages have numbers of the same conversation, and their texts."""
        content = command("XADD", "ops:al+bob", "7-3", "t", "1", "m", "al main 4 edit;esc;of=7-1 a\\nb", "p", "-")
        content += command("XADD", "ops:al+bob", "7-4", "t", "1", "m", "al main 5 recall;of=7-2 ")
        self.assertEqual(messages(content), {("al+bob", 7, 3): "a\nb", ("al+bob", 7, 4): ""})

    def test_transactions(self) -> None:
        """A transaction counts when it is complete, wherever the file is cut."""
        first = command("MULTI") + stored(1, "one") + stored(2, "two") + command("EXEC")
        content = first + command("MULTI") + stored(3, "three") + command("EXEC")
        for size in range(len(content) + 1):
            expected = 0 if size < len(first) else 2 if size < len(content) else 3
            self.assertEqual(len(messages(content[:size])), expected, size)

    def test_single_commands(self) -> None:
        """A command outside of a transaction counts when it is complete."""
        content = stored(1, "one") + stored(2, "two")
        for size in range(len(content) + 1):
            expected = 0 if size < len(stored(1, "one")) else 1 if size < len(content) else 2
            self.assertEqual(len(messages(content[:size])), expected, size)

    def test_rewritten(self) -> None:
        """After the binary part of a rewritten file the commands are read."""
        content = b"REDIS0009\xfa\x09*3\r\n\xff12345678" + command("SELECT", "0") + stored(4, "four")
        self.assertEqual(list(messages(content)), [("al+bob", 7, 4)])

    def test_newest(self) -> None:
        """Of Redis 7 the last part is the one that it appends to."""
        data = Path(self.mktemp())
        (data / "appendonlydir").mkdir(parents=True)
        self.assertEqual(newest(data), data / "appendonly.aof")
        for number in (9, 10):
            (data / "appendonlydir" / f"appendonly.aof.{number}.incr.aof").touch()
        self.assertEqual(newest(data).name, "appendonly.aof.10.incr.aof")

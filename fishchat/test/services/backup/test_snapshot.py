"""The files of Redis at one moment."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.services.backup.snapshot import redis_parts
from fishchat.services.running.errors import StartError

LIST = "appendonly.aof.manifest"


class Snapshot(SynchronousTestCase):
    """The layout of Redis 7, and that of 6.2."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp())
        (self.data / "appendonlydir").mkdir(parents=True)

    def put(self, name: str, content: bytes) -> None:
        """Write a file of Redis."""
        (self.data / "appendonlydir" / name).write_bytes(content)

    def parts(self) -> dict[str, bytes]:
        """The content of each part."""
        with ExitStack() as opened:
            found = redis_parts(self.data, opened)
            # Redis goes on while the parts are read.
            self.put("appendonly.aof.2.incr.aof", b"second and later")
            return {part.name: part.content.read(part.size) for part in found}

    def test_several_files(self) -> None:
        """All that the list names, but what is to be deleted; later additions are not in it."""
        listed = b"file a.h seq 1 type h\nfile appendonly.aof.1.base.rdb seq 1 type b\n"
        listed += b"file appendonly.aof.2.incr.aof seq 2 type i\n"
        self.put(LIST, listed)
        self.put("appendonly.aof.1.base.rdb", b"base")
        self.put("appendonly.aof.2.incr.aof", b"second")
        self.put("appendonly.aof.1.incr.aof", b"old")
        expected = {"appendonly.aof.1.base.rdb": b"base", "appendonly.aof.2.incr.aof": b"second", LIST: listed}
        self.assertEqual(self.parts(), {f"appendonlydir/{name}": content for name, content in expected.items()})

    def test_one_file(self) -> None:
        """Redis 6.2 has a single file."""
        (self.data / "appendonly.aof").write_bytes(b"all of it")
        self.assertEqual(self.parts(), {"appendonly.aof": b"all of it"})

    def test_never_complete(self) -> None:
        """A list that names a file that is not there ends with an error, not with a part of the store."""
        self.put(LIST, b"file none seq 1 type i\n")
        self.assertIn("try again", str(self.assertRaises(StartError, self.parts)))

    def test_nothing(self) -> None:
        """A directory without a store is an error that names it."""
        self.assertIn(str(self.data), str(self.assertRaises(StartError, self.parts)))

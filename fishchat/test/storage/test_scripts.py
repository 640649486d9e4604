"""The scripts by name, and their one argument."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

import fishchat
from fishchat.storage.fence import Fence
from fishchat.storage.loader import includes
from fishchat.storage.packing import pack, unpack
from fishchat.storage.script import every_script
from fishchat.test.support.script_runner import PROPERTY, Runner, ScriptCase, on_each_redis

#: What scripts are given: integers that a Lua number holds, bytes, and lists of these.
numbers = st.integers(-(2**53), 2**53)
values = st.recursive(numbers | st.binary(max_size=80), lambda inner: st.lists(inner, max_size=20))


class Catalogue(SynchronousTestCase):
    """Every script is known, once."""

    def test_complete(self) -> None:
        """Each file is a script, an include or the check of an attribute, and each script has one file."""
        package = Path(fishchat.__file__).parent
        files = [path for path in package.rglob("*.lua") if not path.name.startswith("attribute_")]
        found = {path.relative_to(package).as_posix() for path in files}
        scripts = {
            f"{root}/{script.name}.lua"
            for script in every_script()
            for root in ("features", "storage")
            if (package / root / f"{script.name}.lua").exists()
        }
        self.assertEqual(scripts | {f"storage/lib/{name}.lua" for name in includes()}, found)
        self.assertEqual(len(scripts), len(every_script()))

    def test_distinct(self) -> None:
        """No two share a name or a hash."""
        self.assertEqual(len({script.name for script in every_script()}), len(every_script()))
        self.assertEqual(len({script.sha for script in every_script()}), len(every_script()))

    def test_fence(self) -> None:
        """The fence comes as the scripts compare it: texts, the epoch too."""
        self.assertEqual(Fence(b"ms1", b"abc", 471893, 2).args, (b"ms1", b"abc.2", b"471893"))

    def test_no_bin_type(self) -> None:
        """Bytes are packed as strings: Redis' MessagePack knows no other."""
        self.assertEqual(pack(b"ab")[:2], b"\x91\xa2")


@on_each_redis
class Packing(ScriptCase):
    """What is packed here is understood by Redis, and the other way round."""

    def setUp(self) -> None:
        """Only a connection is needed."""
        super().setUp()
        self.echo: Runner = self.runner

    @PROPERTY
    @given(st.lists(values, max_size=20))
    def test_there_and_back(self, args: list[Any]) -> None:
        """Any bytes, whole numbers and lists come back as they were."""
        source = "return cmsgpack.pack(cmsgpack.unpack(ARGV[1]))"
        self.assertEqual(unpack(self.echo.command("EVAL", source, 0, pack(*args))), args)

    def test_large(self) -> None:
        """A full batch of the longest texts is one argument as well."""
        batch = [bytes([number % 256]) * 8192 for number in range(500)]
        source = "return #cmsgpack.unpack(ARGV[1])[1]"
        self.assertEqual(self.echo.command("EVAL", source, 0, pack(batch)), 500)

    def test_every_script_compiles(self) -> None:
        """Each script is loaded under the hash that it is called by."""
        for script in every_script():
            self.assertEqual(self.echo.command("SCRIPT", "LOAD", script.source), script.sha, script)

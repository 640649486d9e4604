"""How much memory Redis may use in a container."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.services.redis.memory import half_of_memory

MIB = 1 << 20


class Limits(SynchronousTestCase):
    def setUp(self) -> None:
        self.groups = Path(self.mktemp())
        self.groups.mkdir()
        self.own = self.groups / "own"

    def half(self, own: str, **limits: str) -> int:
        """Return half of the memory under these limits; the names are the version and the path."""
        self.own.write_text(own)
        for name, limit in limits.items():
            version, *path = name.split("_")
            file = "memory.max" if version == "two" else "memory.limit_in_bytes"
            place = self.groups.joinpath(*([] if version == "two" else ["memory"]), *path)
            place.mkdir(parents=True, exist_ok=True)
            (place / file).write_text(limit + "\n")
        return half_of_memory(self.groups, self.own)

    def whole(self) -> int:
        """Return the memory of the machine."""
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    def test_none(self) -> None:
        """Without a limit half of the machine is used, also where the system shows no groups."""
        self.assertEqual(self.half("0::/a\n", two_a="max"), self.whole() // 2)
        self.assertEqual(half_of_memory(Path("/no/such"), Path("/no/such")), self.whole() // 2)

    def test_version_two(self) -> None:
        """The limit of the own group counts, or a smaller one of a group around it."""
        self.assertEqual(self.half("0::/a/b\n", two_a_b=str(64 * MIB), two_a="max"), 32 * MIB)
        self.assertEqual(self.half("0::/a/b\n", two_a=str(32 * MIB)), 16 * MIB)

    def test_version_one(self) -> None:
        """The same, in the hierarchy of the controller, where no limit is a very large one."""
        lines = "4:cpu,cpuacct:/c\n3:memory:/a/b\n0::/c\n"
        self.assertEqual(self.half(lines, one_a_b="9223372036854771712", one_c=str(MIB)), self.whole() // 2)
        self.assertEqual(self.half(lines, one_a_b=str(64 * MIB)), 32 * MIB)
        self.assertEqual(self.half(lines, one_a=str(32 * MIB)), 16 * MIB)

    def test_container(self) -> None:
        """A container often sees its own group at the top, whatever its path on the host."""
        self.assertEqual(self.half("0::/docker/0123\n", two=str(64 * MIB)), 32 * MIB)
        self.assertEqual(self.half("3:memory:/docker/0123\n", one=str(32 * MIB)), 16 * MIB)

    def test_nothing(self) -> None:
        """A limit of 0, which Redis would take for none, is ignored; so is nonsense."""
        self.assertEqual(self.half("0::/a\nnonsense\n", two_a="0", two="?"), self.whole() // 2)

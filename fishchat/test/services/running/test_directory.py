"""A private directory: made, closed to others, or refused; and the same refusals without making anything."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.services.running.directory import check_private_directory, private_directory
from fishchat.services.running.errors import ProgramError


class Directories(SynchronousTestCase):
    """Directories in every state that people leave them in."""

    def setUp(self) -> None:
        self.base = Path(self.mktemp()).absolute()
        self.base.mkdir(parents=True, mode=0o700)

    def mode(self, path: Path) -> int:
        """The rights to a path."""
        return stat.S_IMODE(path.stat().st_mode)

    def refused(self, path: Path) -> str:
        """The reason against a directory, which is the same before a start and at the start."""
        told = str(self.assertRaises(ProgramError, check_private_directory, str(path)))
        self.assertEqual(str(self.assertRaises(ProgramError, private_directory, str(path))), told)
        return told

    def test_good(self) -> None:
        """One that is not there is made, one that only its user can enter is used; the check does neither."""
        path = self.base / "a" / "b"
        check_private_directory(str(path))
        self.assertFalse(path.parent.exists())
        private_directory(str(path))
        self.assertEqual(self.mode(path), 0o700)
        (path / "mine").touch()
        check_private_directory(str(path))
        private_directory(str(path))

    def test_closed(self) -> None:
        """An open one is closed if it is empty, or holds only what people prepare for FishChat."""
        for names in ((), ("fishchat.toml",), ("fishchat.toml", "tls"), ("redis.lock", "others")):
            path = self.base / f"{len(names)}{names[:1]}"
            path.mkdir()
            path.chmod(0o755)
            for name in names:
                (path / name).touch()
            check_private_directory(str(path))
            self.assertEqual(self.mode(path), 0o755)
            private_directory(str(path))
            self.assertEqual(self.mode(path), 0o700)

    def test_refused(self) -> None:
        """Everything else is not touched."""
        (self.base / "fishchat.toml").touch()
        (self.base / "photo.jpg").touch()
        self.base.chmod(0o755)
        self.assertIn(f"run `chmod 700 {self.base}`", self.refused(self.base))
        self.assertEqual(self.mode(self.base), 0o755)
        for path in (self.base / "photo.jpg", self.base / "photo.jpg" / "below"):
            self.assertIn(f"{path} is not a directory", self.refused(path))
        (self.base / "link").symlink_to("/nonexistent")
        self.assertIn("link is not a directory", self.refused(self.base / "link"))

    def test_no_right(self) -> None:
        """A directory that may not be written, or made."""
        self.patch(os, "access", lambda *_: False)
        self.assertIn("cannot write to", self.refused(self.base))
        told = str(self.assertRaises(ProgramError, check_private_directory, str(self.base / "new")))
        self.assertIn(f"cannot use the directory {self.base / 'new'}: Permission denied", told)

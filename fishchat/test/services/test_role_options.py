"""The options of a role's twistd plugin."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.logger import capturedLogs
from twisted.python import usage
from twisted.trial import unittest

from fishchat.services.role import RoleOptions, options


class Options(unittest.SynchronousTestCase):
    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir(parents=True)

    def file(self, name: str, text: str) -> str:
        (self.home / name).write_text(text)
        return str(self.home / name)

    def test_the_file_and_the_data_directory_are_loaded(self) -> None:
        options = RoleOptions()
        options.parseOptions(["--config", self.file("a.toml", "[limits]\nrate = 5"), "--data", str(self.home)])
        self.assertEqual((options.config.limits.rate, options.config.data), (5.0, str(self.home)))
        self.assertIs(options.config, options.loaded.config)

    def test_what_is_refused_is_an_error_of_usage(self) -> None:
        arguments = ["--config", self.file("a.toml", "x = 1")]
        error = self.assertRaises(usage.UsageError, RoleOptions().parseOptions, arguments)
        self.assertIn("a.toml: x: no such key", str(error))

    def test_pidfile_of_the_same_process(self) -> None:
        """A pidfile with our own number, which process 1 of a killed container left, is removed; others are kept."""
        for text, stays in ((str(os.getpid()), False), (str(os.getppid()), True), ("nonsense", True)):
            pidfile = Path(self.file("twistd.pid", text))
            options = RoleOptions()
            options.parent = usage.Options()
            options.parent["pidfile"] = str(pidfile)
            options.parseOptions(["--data", str(self.home)])
            self.assertEqual(pidfile.exists(), stays, text)

    def test_a_role_reads_its_file_of_the_original(self) -> None:
        """What that says in vain is logged as a warning."""
        gateway = options("gateway")()
        with capturedLogs() as events:
            gateway.parseOptions(["-c", self.file("gateway.json", '{"Listen": "127.0.0.1:1", "LogFile": "x"}')])
        self.assertEqual(gateway.config.gateway.listen, "127.0.0.1:1")
        self.assertEqual([e["log_level"].name for e in events if "LogFile" in str(e.get("note"))], ["warn"])

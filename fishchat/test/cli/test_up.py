"""The options of ``fishchat up``. ``services.launch.test_up`` starts it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from fishchat.cli import main
from fishchat.config.load import load
from fishchat.services.launch import up


class Options(SynchronousTestCase):
    """Everything but the start itself."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp()).absolute()
        self.data.mkdir(mode=0o700, parents=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FISHCHAT")}
        self.environment = {**kept, "FISHCHAT__DATA": str(self.data)}
        self.patch(os, "environ", self.environment)
        self.started: list[Any] = []
        self.patch(up, "run", lambda config, **_: self.started.append(config))

    def up(self, *arguments: str) -> Result:
        """Run it with these arguments."""
        return CliRunner().invoke(main, ["up", *arguments])

    def test_port(self) -> None:
        """All ports are moved by one distance, for the processes of the roles as well."""
        (self.data / "fishchat.toml").write_text(
            'msg_server.listen_tls = "127.0.0.1:19443"\ngateway.listen = "[::1]:17005"\n'
        )
        result = self.up("--port", "19100")
        self.assertEqual(result.exit_code, 0, result.output)
        for config in (*self.started, load(environment=self.environment).config):
            section = config.msg_server
            self.assertEqual((section.listen, section.listen_tls), ("127.0.0.1:19100", "127.0.0.1:19543"))
            self.assertEqual((config.gateway.listen, config.monitor.listen), ("[::1]:17105", "127.0.0.1:30100"))
        self.assertEqual(len(self.started), 1)

    def test_any_free_port(self) -> None:
        """Port 0 stays any free one, and the msg_server gets the port that was asked for."""
        self.environment.update(FISHCHAT__GATEWAY__LISTEN="127.0.0.1:0", FISHCHAT__MSG_SERVER__LISTEN="127.0.0.1:0")
        self.assertEqual(self.up("--port", "19001").exit_code, 0)
        config = self.started[0]
        self.assertEqual((config.gateway.listen, config.msg_server.listen), ("127.0.0.1:0", "127.0.0.1:19001"))
        self.assertEqual(config.monitor.listen, "127.0.0.1:30001")

    def test_no_such_port(self) -> None:
        """A number that leaves no room for the others is refused before anything starts."""
        for port, key in (("2000", "gateway.listen"), ("60000", "monitor.listen")):
            result = self.up("--port", port)
            self.assertEqual(result.exit_code, 2)
            self.assertIn(f"{key} would be moved", result.output)
        for port in ("0", "65536", "x"):
            self.assertEqual(self.up("--port", port).exit_code, 2)
        self.assertEqual(self.started, [])

    def test_notes(self) -> None:
        """What has no effect is said as a note."""
        self.environment["FISHCHAT_HOME"] = "/x"
        self.assertIn("note: environment FISHCHAT_HOME has no effect", self.up().output)

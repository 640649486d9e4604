"""``fishchat config`` as a person uses it."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial import unittest

from fishchat import __version__
from fishchat.cli import main
from fishchat.cli.config import template
from fishchat.config import describe
from fishchat.config.load import load
from fishchat.config.schema import Config
from fishchat.test.pages.test_docs import pages


class CommandCase(unittest.SynchronousTestCase):
    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir(parents=True)
        self.environment: dict[str, str | None] = {
            name: None for name in os.environ if name.startswith(describe.PREFIX)
        }
        self.environment["XDG_DATA_HOME"] = str(self.home)

    def run_main(self, *arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(main, arguments, env={**self.environment, **environment})


class CheckProcesses(CommandCase):
    def test_ports_of_processes(self) -> None:
        """Ports that only `fishchat up --processes` cannot use are a note, or an error when asked for."""
        where = {"FISHCHAT__MONITOR__LISTEN": "127.0.0.1:19001"}
        noted, refused = (self.run_main("config", "check", *more, **where) for more in ([], ["--processes"]))
        self.assertEqual((noted.exit_code, refused.exit_code), (0, 1))
        for result in (noted, refused):
            self.assertIn("monitor.listen: --processes with 2 msg_servers", result.output)
        fine = self.run_main("config", "check", "--processes")
        self.assertEqual((fine.exit_code, len(fine.stdout.splitlines())), (0, 2))


class Init(CommandCase):
    def test_the_template_changes_nothing(self) -> None:
        file = self.home / "a.toml"
        self.assertEqual(self.run_main("config", "init", str(file)).exit_code, 0)
        self.assertEqual(load(file, environment={}).config, Config())

    def test_every_key_is_there_with_its_default(self) -> None:
        """Without the # before them, the keys are a valid file that gives each key its default."""
        file = self.home / "a.toml"
        file.write_text(re.sub(r"(?m)^#(?=\w)", "", template()), encoding="utf-8")
        loaded = load(file, environment={})
        self.assertEqual(loaded.config, Config())
        self.assertNotIn("default", loaded.origin.values())

    def test_without_a_name_it_is_written_where_it_is_found(self) -> None:
        self.assertEqual(self.run_main("config", "init").exit_code, 0)
        file = self.home / "fishchat" / "fishchat.toml"
        self.assertEqual(file.read_text(encoding="utf-8"), template())
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(file.parent.stat().st_mode & 0o777, 0o700)

    def test_two_lines_of_a_page_can_stand_anywhere(self) -> None:
        """README and the pages show dotted keys, and nobody knows about sections of TOML."""
        lines = re.search(r"```toml\n(accounts\.mode = .*?)```", pages()["README.md"], re.DOTALL)
        assert lines is not None
        text = template().splitlines(keepends=True)
        file = self.home / "a.toml"
        for number in range(0, len(text) + 1, 7):
            file.write_text("".join([*text[:number], lines[1], *text[number:]]), encoding="utf-8")
            config = load(file, environment={}).config
            self.assertEqual((config.accounts.mode, config.msg_server.listen_tls), ("closed", "0.0.0.0:19443"))

    def test_of_another_data_directory(self) -> None:
        data = self.home / "other"
        result = self.run_main("config", "init", "--data", str(data))
        self.assertEqual((result.exit_code, result.stdout), (0, f"wrote {data / 'fishchat.toml'}\n"))
        self.assertEqual(data.stat().st_mode & 0o777, 0o700)
        self.assertEqual(self.run_main("config", "init", "--data", str(data), "a.toml").exit_code, 2)

    def test_an_existing_file_is_left_alone(self) -> None:
        file = self.home / "a.toml"
        file.write_text("mine")
        result = self.run_main("config", "init", str(file))
        self.assertEqual((result.exit_code, file.read_text()), (1, "mine"))
        self.assertIn("exists", result.output)

    def test_a_dash_is_the_standard_output(self) -> None:
        self.assertEqual(self.run_main("config", "init", "-").stdout, template())


class Check(CommandCase):
    def test_a_good_configuration(self) -> None:
        result = self.run_main("config", "check", FISHCHAT__LIMITS__RATE="5")
        self.assertEqual(result.exit_code, 0)
        self.assertIn(f"1 of {len(describe.leaves())} keys", result.stdout)

    def test_it_names_what_it_checked(self) -> None:
        """The data directory, and the file if there is one."""
        data = self.home / "fishchat"
        self.assertIn(f"data directory: {data}; configuration file: none\n", self.run_main("config", "check").stdout)
        self.assertIn(f"the data directory is {data}, the", self.run_main("config", "show").stderr)
        self.assertFalse(data.exists())
        self.run_main("config", "init")
        self.assertIn(f"configuration file: {data / 'fishchat.toml'}\n", self.run_main("config", "check").stdout)

    def test_what_a_start_would_refuse(self) -> None:
        """Files, directories and addresses of this machine, unless only the values are to be checked."""
        data = self.home / "fishchat"
        file = self.home / "a.toml"
        text = 'gateway.listen_tls = "192.0.2.1:17443"\n'
        file.write_text('accounts.mode = "closed"\nmsg_server.listen_tls = "127.0.0.1:0"\n' + text)
        data.mkdir(mode=0o755)
        (data / "mine").touch()
        arguments = ("config", "check", "--config", str(file))
        result = self.run_main(*arguments, FISHCHAT_REDIS_SERVER="/no/such/redis")
        self.assertEqual((result.exit_code, result.stdout), (1, ""))
        directory, redis, certificate, address = result.stderr.splitlines()
        self.assertIn(f"the directory {data} is accessible to other users", directory)
        self.assertIn("/no/such/redis", redis)
        self.assertIn(f"{data / 'tls' / 'server.pem'} cannot be read", certificate)
        self.assertIn("cannot listen on 192.0.2.1:17443: this machine has no such address", address)
        self.assertEqual([path.name for path in data.iterdir()], ["mine"])
        self.assertEqual(self.run_main(*arguments, "--only-values").exit_code, 0)

    def test_root_asks_for_the_user_of_a_service(self) -> None:
        """The directory is that user's, and must be closed for all others as well."""
        data = self.home / "fishchat"
        data.mkdir(mode=0o700)
        (data / "mine").touch()
        os.chown(data, 12345, -1)
        self.assertEqual(self.run_main("config", "check").exit_code, 0)
        data.chmod(0o755)
        self.assertIn("is accessible to other users", self.run_main("config", "check").stderr)

    if os.geteuid() != 0:
        test_root_asks_for_the_user_of_a_service.skip = "only root"  # type: ignore[attr-defined]

    def test_a_used_port_is_noted(self) -> None:
        """The server that has this configuration may run."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            address = f"127.0.0.1:{other.getsockname()[1]}"
            result = self.run_main("config", "check", FISHCHAT__GATEWAY__LISTEN=address)
        self.assertEqual(result.exit_code, 0)
        self.assertIn(f"note: {address} (`gateway.listen`) is in use", result.stderr)

    def test_a_bad_one(self) -> None:
        file = self.home / "a.toml"
        file.write_text("x = 1\n[limits]\nrate = 0\n")
        result = self.run_main("config", "check", "--config", str(file))
        self.assertEqual((result.exit_code, result.stdout), (1, ""))
        self.assertIn("a.toml: x: no such key", result.stderr)
        self.assertIn("limits.rate = 0: must be a number from 0.001 to 1000000000", result.stderr)

    def test_what_a_file_of_the_original_says_in_vain_is_noted(self) -> None:
        file = self.home / "gateway.json"
        file.write_text('{"Listen": "127.0.0.1:1", "LogFile": "x"}')
        result = self.run_main("config", "check", "--role", "gateway", "--config", str(file))
        self.assertEqual(result.exit_code, 0)
        self.assertIn("LogFile has no meaning here", result.stderr)


class Show(CommandCase):
    def test_values_and_where_they_are_from(self) -> None:
        lines = self.run_main("config", "show", "--origin", FISHCHAT__LIMITS__RATE="5").stdout.splitlines()
        self.assertEqual(len(lines), len(describe.leaves()))
        self.assertTrue(any(re.fullmatch(r"limits.rate = 5.0 +# environment FISHCHAT__LIMITS__RATE", x) for x in lines))
        self.assertTrue(any(re.fullmatch(r'gateway.listen = "127.0.0.1:17000" +# default', x) for x in lines))

    def test_what_is_shown_can_be_a_file(self) -> None:
        for name, options in (("a.toml", []), ("a.json", ["--json"])):
            file = self.home / name
            file.write_text(self.run_main("config", "show", *options, FISHCHAT__UP__MSG_SERVERS="7").stdout)
            self.assertEqual(load(file, environment={}).config.up.msg_servers, 7)

    def test_json_with_origins(self) -> None:
        tree = json.loads(self.run_main("config", "show", "--json", "--origin").stdout)
        self.assertEqual(tree["up"]["msg_servers"], {"value": 2, "origin": "default"})

    def test_a_password_is_hidden(self) -> None:
        for options in ([], ["--json"]):
            shown = self.run_main("config", "show", *options, FISHCHAT__REDIS__URL="redis://bob:s3cret@host").stdout
            self.assertIn("redis://bob:***@host", shown)
            self.assertNotIn("s3cret", shown)

    def test_long_values_are_shown_whole(self) -> None:
        servers = [f"server{n}.example.org:19000" for n in range(50)]
        shown = self.run_main("config", "show", "--json", FISHCHAT__GATEWAY__SERVERS=",".join(servers)).stdout
        self.assertEqual(json.loads(shown)["gateway"]["servers"], servers)


class Main(CommandCase):
    def test_no_such_home(self) -> None:
        """Every command says in a line that it cannot find the directory, and begins nothing elsewhere."""
        before = set(Path().iterdir())
        for line in (
            "config init",
            "config check",
            "config show",
            "cert server localhost",
            "cert show",
            "user list",
            "up",
        ):
            result = self.run_main(*line.split(), "--data", "~no-such-user/x")
            self.assertEqual((result.exit_code, result.stdout), (1, ""), line)
            self.assertIn("'~no-such-user/x' names a user 'no-such-user', who does not exist", result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, line)
        self.assertEqual(set(Path().iterdir()), before)

    def test_version(self) -> None:
        self.assertEqual(self.run_main("--version").stdout, f"fishchat {__version__}\n")

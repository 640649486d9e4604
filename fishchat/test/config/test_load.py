"""What a layer gives, which layer wins, and how a refusal reads."""

from __future__ import annotations

import errno
import json
import os
import pwd
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial import unittest

from fishchat.config import describe
from fishchat.config.load import ConfigError, Loaded, data_directory, load
from fishchat.config.schema import Config


class LoadCase(unittest.SynchronousTestCase):
    """Loading from files of this test alone, and from no environment but the one given."""

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir(parents=True)

    def load(self, text: str | None = None, name: str = "a.toml", data: str = "", **environment: str) -> Loaded:
        file = None
        if text is not None:
            file = self.home / name
            file.write_text(text, encoding="utf-8")
        return load(file, data=data, environment={"XDG_DATA_HOME": str(self.home), **environment})

    def refused(self, text: str | None = None, name: str = "a.toml", **environment: str) -> str:
        return str(self.assertRaises(ConfigError, self.load, text, name, **environment))


class Layers(LoadCase):
    def test_nothing_given_is_the_defaults(self) -> None:
        loaded = self.load()
        self.assertEqual(loaded.config, Config())
        self.assertEqual(set(loaded.origin), set(describe.leaves()))
        self.assertEqual(set(loaded.origin.values()), {"default"})

    def test_each_layer_wins_over_the_one_before(self) -> None:
        loaded = self.load(
            "data = '/file'\n[limits]\nrate = 5\nburst = 7\n",
            data="/line",
            FISHCHAT__LIMITS__RATE="9.5",
            FISHCHAT__DATA="/e",
        )
        self.assertEqual((loaded.config.limits.rate, loaded.config.limits.burst), (9.5, 7))
        self.assertEqual(loaded.config.data, "/line")
        self.assertEqual(loaded.origin["limits.rate"], "environment FISHCHAT__LIMITS__RATE")
        self.assertEqual(loaded.origin["limits.burst"], f"file {self.home / 'a.toml'}")
        self.assertEqual(loaded.origin["data"], "command line --data")
        self.assertEqual(loaded.origin["limits.devices"], "default")

    def test_toml_and_json_say_the_same(self) -> None:
        toml = self.load("[gateway]\nservers = ['127.0.0.1:1']\n[retention.p2p]\ndays = 3\n")
        tree = {"gateway": {"servers": ["127.0.0.1:1"]}, "retention": {"p2p": {"days": 3}}}
        self.assertEqual(toml.config, self.load(json.dumps(tree), "a.json").config)

    def test_a_section_given_in_part_keeps_its_own_defaults(self) -> None:
        """Notices are kept 90 days by default, not the 365 of the other kinds."""
        notice = self.load(FISHCHAT__RETENTION__NOTICE__COUNT="5").config.retention.notice
        self.assertEqual((notice.days, notice.count), (90.0, 5))

    def test_the_environment_is_read_by_type(self) -> None:
        config = self.load(
            FISHCHAT__GATEWAY__SERVERS="127.0.0.1:1, [::1]:2,",
            FISHCHAT__LIMITS__FLOOD="FALSE",
            FISHCHAT__UP__MSG_SERVERS="3",
            FISHCHAT__MSG_SERVER__ID="007",
        ).config
        self.assertEqual(config.gateway.servers, ["127.0.0.1:1", "[::1]:2"])
        self.assertIs(config.limits.flood, False)
        self.assertEqual((config.up.msg_servers, config.msg_server.id), (3, "007"))
        self.assertEqual(self.load(FISHCHAT__GATEWAY__SERVERS="").config.gateway.servers, [])

    def test_the_file_of_the_data_directory_is_found(self) -> None:
        directory = self.home / "fishchat"
        directory.mkdir()
        (directory / "fishchat.toml").write_text("[limits]\nrate = 5\n")
        self.assertEqual(self.load().origin["limits.rate"], f"file {directory / 'fishchat.toml'}")
        self.assertEqual(self.load(data=str(directory)).config.limits.rate, 5.0)
        self.assertEqual(self.load(FISHCHAT__DATA=str(directory)).config.limits.rate, 5.0)
        self.assertEqual(self.load("").config.limits.rate, 20.0)

    def test_a_relative_data_directory_is_beside_its_file(self) -> None:
        self.assertEqual(self.load("data = 'store'").config.data, str(self.home / "store"))
        self.assertEqual(self.load(data="store").config.data, os.path.abspath("store"))

    def test_the_data_directory_is_the_users_own(self) -> None:
        self.assertEqual(data_directory("", {"XDG_DATA_HOME": "/x"}), Path("/x/fishchat"))
        self.assertEqual(data_directory("", {"XDG_DATA_HOME": "x"}), Path("~/.local/share/fishchat").expanduser())
        self.assertEqual(data_directory("/here", {"XDG_DATA_HOME": "/x"}), Path("/here"))

    def test_an_empty_variable_is_none_unless_its_key_can_be_empty(self) -> None:
        """A compose file writes ``${RATE:-}``; but an empty text overrides that of a file."""
        file = "redis.url = 'redis://h'\nlimits.rate = 5\nup.msg_servers = 3\nmonitor.accounts = ['ann']\n"
        names = ("LIMITS__RATE", "UP__MSG_SERVERS", "ACCOUNTS__MODE", "GATEWAY__LISTEN", "LIMITS__FLOOD")
        texts = ("REDIS__URL", "MONITOR__ACCOUNTS", "MSG_SERVER__LISTEN_TLS")
        loaded = self.load(file, **{f"FISHCHAT__{name}": "" for name in (*names, *texts)})
        self.assertEqual((loaded.config.limits.rate, loaded.config.up.msg_servers), (5.0, 3))
        self.assertEqual((loaded.config.redis.url, loaded.config.monitor.accounts), ("", []))
        self.assertEqual(loaded.origin["accounts.mode"], "default")
        self.assertIn("no such key", self.refused(FISHCHAT__LIMITS__RAET=""))

    def test_a_data_directory_is_absolute_and_without_a_tilde(self) -> None:
        home = os.path.expanduser("~")
        for data, path in (("store", os.path.abspath("store")), ("~/store", f"{home}/store")):
            self.assertEqual(self.load(data=data).config.data, path)
            self.assertEqual(self.load(FISHCHAT__DATA=data).config.data, path)
        self.assertEqual(self.load("data = '~/store'").config.data, f"{home}/store")


class Refusals(LoadCase):
    def test_it_names_the_place_the_key_the_value_and_what_is_allowed(self) -> None:
        text = self.refused("[up]\nmsg_servers = 'two'\n")
        self.assertEqual(
            text, f'file {self.home / "a.toml"}: up.msg_servers = "two": must be a whole number from 1 to 64'
        )
        text = self.refused(FISHCHAT__REDIS__DURABILITY="none")
        self.assertEqual(
            text,
            'environment FISHCHAT__REDIS__DURABILITY: redis.durability = "none": must be one of "fsync", "everysec"',
        )

    def test_an_unknown_key_names_the_nearest(self) -> None:
        self.assertIn("msg_server.lisen: no such key; did you mean msg_server.listen?",
                      self.refused("[msg_server]\nlisen = '127.0.0.1:1'"))  # fmt: skip
        self.assertIn("did you mean limits.rate? (FISHCHAT__LIMITS__RATE)", self.refused(FISHCHAT__RATE="1"))
        self.assertIn("risks.accounts: no such key; what begins with `accounts.` stands above the first section,",
                      self.refused('[risks]\naccounts.mode = "closed"'))  # fmt: skip
        self.assertIn("router has shards", self.refused("[router]\nwings = 2"))
        self.assertIn("the top level has data, redis", self.refused("xyz = 1"))

    def test_problems_of_all_layers_are_told_together(self) -> None:
        text = self.refused("a = 1\n[limits]\nrate = 0\nflood = 'no'\n", FISHCHAT__ROUTER__SHARDS="x")
        self.assertEqual(len(text.splitlines()), 4)

    def test_a_section_is_no_value_and_a_value_no_section(self) -> None:
        self.assertIn("is a section with the keys days, count", self.refused(FISHCHAT__RETENTION__P2P="3"))
        self.assertIn("gateway.listen.port: no such key", self.refused(FISHCHAT__GATEWAY__LISTEN__PORT="3"))
        self.assertIn('gateway.listen = {"port": 1}: must be host:port', self.refused("[gateway.listen]\nport = 1"))
        self.assertIn("no such key", self.refused(FISHCHAT__="3"))

    def test_text_that_is_no_unicode_is_refused(self) -> None:
        self.assertIn('data = "\\udcff": must consist of printable characters', self.refused(FISHCHAT__DATA="\udcff"))
        self.assertIn("'\\x1b[2J': no such key", self.refused('{"\\u001b[2J": 1}', "a.json"))

    def test_numbers_that_are_none(self) -> None:
        for number in ("nan", "inf", "-1.0", "true"):
            self.assertIn("limits.rate", self.refused(f"[limits]\nrate = {number}"))
        self.assertIn("limits.rate", self.refused('{"limits": {"rate": NaN}}', "a.json"))

    def test_keys_that_do_not_go_together_name_their_places(self) -> None:
        text = self.refused("[limits]\nflood = false\n", FISHCHAT__GATEWAY__LISTEN="0.0.0.0:17000")
        self.assertIn('environment FISHCHAT__GATEWAY__LISTEN: gateway.listen = "0.0.0.0:17000": must be loopback', text)
        self.assertIn(f"file {self.home / 'a.toml'}: limits.flood = false: ", text)

    def test_the_lines_to_write_instead(self) -> None:
        text = self.refused("monitor.listen = '0.0.0.0:30000'")
        self.assertEqual(
            text.split(". Write instead:")[1].splitlines(),
            [
                "",
                '    monitor.listen_tls = "0.0.0.0:30443"',
                '    accounts.mode = "closed"',
                '    monitor.accounts = ["NAME"]',
            ],
        )

    def test_a_password_is_never_shown(self) -> None:
        for url in ("http://u:s3cret@h", "redis:u:s3cret@h", "redi://:s3:cr/et3cret@@h", "x?password=s3cret"):
            self.assertNotIn("3cret", self.refused(FISHCHAT__REDIS__URL=url))

    def test_files_that_cannot_be_read(self) -> None:
        where = {"environment": {"XDG_DATA_HOME": str(self.home)}}
        missing = self.assertRaises(ConfigError, load, self.home / "no.toml", **where)
        self.assertIn("no.toml: cannot be read: No such file", str(missing))
        self.assertIn("is not valid TOML", self.refused("[a"))
        self.assertIn("is not valid JSON", self.refused("{", "a.json"))
        self.assertIn("is not valid JSON", self.refused("[" * 100_000, "a.json"))
        self.assertIn("must hold an object", self.refused("[]", "a.json"))
        self.assertIn("must end in .toml or .json", self.refused("", "a.yaml"))
        (self.home / "b.toml").write_bytes(b"\xff")
        self.assertIn("is not valid TOML", str(self.assertRaises(ConfigError, load, self.home / "b.toml", **where)))


class Files(LoadCase):
    """What editors, links and people make of a file."""

    def test_the_mark_of_Windows(self) -> None:
        """A byte order mark before UTF-8, and lines that end as there."""
        for name, text in (("a.toml", "[limits]\r\nrate = 50\r\n"), ("a.json", '{"limits": {"rate": 50}}\r\n')):
            self.assertEqual(self.load("\ufeff" + text, name).config.limits.rate, 50.0)

    def test_another_encoding_is_named(self) -> None:
        file = self.home / "b.toml"
        for text, why in (
            ("[limits]".encode("utf-16"), "is not valid TOML: it is UTF-16 text; save it as UTF-8"),
            ("# é".encode("latin-1"), "is not valid TOML: it is not UTF-8 text (byte 3); save it as UTF-8"),
        ):
            file.write_bytes(text)
            error = self.assertRaises(ConfigError, load, file, environment={"XDG_DATA_HOME": str(self.home)})
            self.assertEqual(str(error), f"file {file}: {why}")

    def test_a_key_of_JSON_is_there_once(self) -> None:
        """Also inside of sections; TOML refuses it anyway."""
        for text, key in (
            ('{"accounts": {"mode": "closed"}, "limits": {}, "accounts": {"privacy": "contacts"}}', "accounts"),
            ('{"retention": {"p2p": {"days": 1, "count": 5, "days": 2}}}', "days"),
            ('{"Listen": "127.0.0.1:1", "Listen": "127.0.0.1:1"}', "Listen"),
        ):
            self.assertIn(f'is not valid JSON: the key "{key}" is there twice', self.refused(text, "a.json"))
        self.assertIn("is not valid TOML", self.refused("[limits]\nrate = 5\nrate = 6\n"))

    def test_sections_and_dotted_keys_of_one_name(self) -> None:
        """The parser's words alone help nobody."""
        for text in (
            'accounts.mode = "closed"\n[accounts]\nprivacy = "contacts"\n',
            '[accounts]\nmode = "open"\n[accounts]\nmode = "closed"\n',
            'accounts.mode = "closed"\naccounts.mode = "open"\n',
        ):
            told = self.refused(text)
            self.assertIn("is not valid TOML: Cannot ", told)
            self.assertIn("write `accounts.mode = …` everywhere; and write each key only once", told)
        self.assertNotIn("everywhere", self.refused("[a"))

    def test_a_link_that_leads_nowhere_is_no_missing_file(self) -> None:
        directory = self.home / "fishchat"
        directory.mkdir()
        file = directory / "fishchat.toml"
        file.symlink_to("/nonexistent/fishchat.toml")
        self.assertEqual(self.refused(), f"file {file}: is a link to /nonexistent/fishchat.toml, which does not exist")
        file.unlink()
        file.symlink_to("fishchat.toml")
        self.assertIn("cannot be read: Too many levels of symbolic links", self.refused())

    def test_a_directory_that_cannot_be_entered_is_no_missing_file(self) -> None:
        """Else the defaults would be used. (Root enters all of them, so the system's answer is made here.)"""

        def refuse(path: Any) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

        self.patch(os, "lstat", refuse)
        path = self.home / "fishchat" / "fishchat.toml"
        self.assertEqual(self.refused(), f"file {path}: cannot be read: Permission denied")

    def test_homes(self) -> None:
        """Whose home is not known is said in a sentence, for files and directories."""
        self.patch(os, "environ", {name: value for name, value in os.environ.items() if name != "HOME"})

        def nobody(_: int) -> None:
            raise KeyError

        self.patch(pwd, "getpwuid", nobody)
        error = self.assertRaises(ConfigError, load, environment={})
        self.assertEqual(
            str(error),
            "this user has no home directory; set HOME, or name a data directory with --data or FISHCHAT__DATA",
        )
        file = self.home / "a.toml"
        file.write_text("")
        error = self.assertRaises(ConfigError, load, file, environment={})
        self.assertIn("data: this user has no home directory", str(error))
        self.assertRaises(ConfigError, data_directory, "", {})
        why = "'~no-such-user/x' names a user 'no-such-user', who does not exist; write the whole path"
        where = {"XDG_DATA_HOME": str(self.home)}
        error = self.assertRaises(ConfigError, load, data="~no-such-user/x", environment=where)
        self.assertEqual(str(error), f"command line --data: data: {why}")
        self.assertEqual(self.refused(FISHCHAT__DATA="~no-such-user/x"), f"environment FISHCHAT__DATA: data: {why}")
        for key in ("data", "tls.certificate"):
            self.assertEqual(self.refused(f"{key} = '~no-such-user/x'"), f"file {file}: {key}: {why}")


class Variables(LoadCase):
    """Variables that look as if they set a key."""

    def test_one_underscore_too_few_or_too_many(self) -> None:
        for name, right in (
            ("FISHCHAT_LIMITS_RATE", "FISHCHAT__LIMITS__RATE"),
            ("FISHCHAT_LIMITS__RATE", "FISHCHAT__LIMITS__RATE"),
            ("FISHCHAT_DATA", "FISHCHAT__DATA"),
            ("FISHCHAT_MSGSERVER__LISTEN_TLS", "FISHCHAT__MSG_SERVER__LISTEN_TLS"),
            ("fishchat__accounts__mode", "FISHCHAT__ACCOUNTS__MODE"),
        ):
            told = self.refused(**{name: "x"})
            self.assertEqual(told, f"environment {name}: has no effect; its name must be {right}")

    def test_no_key_is_noted(self) -> None:
        self.assertEqual(
            self.load(FISHCHAT_RATE="5", FISHCHAT_LIMITS_RATES="5").notes,
            [
                "environment FISHCHAT_LIMITS_RATES has no effect: FishChat has no such variable; "
                "did you mean FISHCHAT__LIMITS__RATE?",
                "environment FISHCHAT_RATE has no effect: FishChat has no such variable; "
                "did you mean FISHCHAT__LIMITS__RATE?",
            ],
        )
        self.assertEqual(len(self.load(FISHCHAT_HOME="/x").notes), 1)

    def test_others_are_left_alone(self) -> None:
        """Those of FishChat that are no keys, those of another program, and those that Kubernetes sets."""
        known = dict.fromkeys(("FISHCHAT_PASSWORD", "FISHCHAT_REDIS_SERVER", "FISHCHATTER", "MY_FISHCHAT_RATE"), "x")
        links = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_CHAT", "PORT", "PORT_17000_TCP", "MSG_SERVICE_HOST",
                 "PORT_17000_TCP_ADDR", "MSG_PORT_19000_TCP_PROTO")  # fmt: skip
        self.assertEqual(self.load(**known, **{f"FISHCHAT_{link}": "x" for link in links}).notes, [])


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


class Anything(LoadCase):
    @given(st.dictionaries(st.sampled_from([*describe.leaves(), *describe.sections()]), _VALUES, max_size=4))
    def test_any_tree_is_a_configuration_or_a_ConfigError(self, flat: dict[str, Any]) -> None:
        tree: dict[str, Any] = {}
        for key, value in flat.items():
            section, _, name = key.rpartition(".")
            inner = tree.setdefault(section, {}) if section else tree
            if isinstance(inner, dict):
                inner[name] = value
        try:
            loaded = self.load(json.dumps(tree), "a.json")
        except ConfigError as error:
            self.assertTrue(str(error))
        else:
            self.assertEqual(msgspec.convert(msgspec.to_builtins(loaded.config), Config), loaded.config)

    @given(st.sampled_from([*describe.leaves()]), st.text(st.characters(exclude_characters="\0"), max_size=12))
    def test_any_text_in_the_environment_is_a_value_or_a_ConfigError(self, key: str, text: str) -> None:
        name = describe.environment_name(key)
        environment = {"XDG_DATA_HOME": "/nonexistent", name: text}
        try:
            origin = load(environment=environment).origin
        except ConfigError as error:
            self.assertTrue(str(error).startswith(f"environment {name}: {key}"))
        else:
            # An empty variable may be one that is not set.
            self.assertIn(origin[key], [f"environment {name}"] if text else [f"environment {name}", "default"])

"""Files of the original Go project: what is taken over for which role, and what is told to mean nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial import unittest

from fishchat.config.load import ConfigError, Loaded, load
from fishchat.config.original import is_original
from fishchat.config.schema import Config

REDIS = {
    "Addr": "10.0.0.2",
    "Port": ":6379",
    "ConnectTimeout": 2000,
    "ReadTimeout": 1000,
    "WriteTimeout": 1000,
}


class OriginalFiles(unittest.SynchronousTestCase):
    def setUp(self) -> None:
        self.file = Path(self.mktemp() + ".json").absolute()
        self.file.parent.mkdir(parents=True, exist_ok=True)

    def load(self, role: str | None, **tree: Any) -> Loaded:
        self.file.write_text(json.dumps(tree))
        return load(self.file, role=role, environment={})

    def refused(self, role: str | None, **tree: Any) -> str:
        return str(self.assertRaises(ConfigError, self.load, role, **tree))

    def test_gateway(self) -> None:
        servers = ["127.0.0.1:19000", "127.0.0.1:19001"]
        unused = {"TransportProtocols": "tcp", "LogFile": "gateway.log", "MsgServerNum": 2}
        loaded = self.load("gateway", Listen="127.0.0.1:17001", MsgServerList=servers, **unused)
        self.assertEqual(loaded.config.gateway.listen, "127.0.0.1:17001")
        self.assertEqual(loaded.config.gateway.servers, servers)
        self.assertEqual(loaded.origin["gateway.servers"], f"file {self.file} (MsgServerList)")
        self.assertEqual(len(loaded.notes), 3)
        self.assertTrue(any("LogFile" in note and "--logfile" in note for note in loaded.notes))

    def test_msg_server(self) -> None:
        used = {"LocalIP": "127.0.0.1:19001", "Listen": "127.0.0.2:19001", "UUID": "left", "Redis": REDIS}
        unused = {"Expire": 100, "SessionManagerServerList": ["127.0.0.1:18000"], "Mongo": {"Addr": "x"}}
        loaded = self.load("msg_server", **used, **unused)
        server = loaded.config.msg_server
        self.assertEqual((server.listen, server.id), ("127.0.0.2:19001", "left"))
        self.assertEqual(server.advertise, "127.0.0.1:19001")
        self.assertEqual(loaded.config.redis.url, "redis://10.0.0.2:6379")
        self.assertEqual(len(loaded.notes), 6)

    def test_the_same_key_means_another_thing_for_another_role(self) -> None:
        for role in ("router", "manager"):
            loaded = self.load(role, Listen="0.0.0.0:20000", UUID="20000", MsgServerList=["127.0.0.1:19000"])
            self.assertEqual(loaded.config, Config())
            self.assertEqual(len(loaded.notes), 3)
        self.assertEqual(self.load("monitor", Listen="127.0.0.1:1").config.monitor.listen, "127.0.0.1:1")

    def test_redis_as_text_and_in_parts(self) -> None:
        right: tuple[object, ...] = (
            "10.0.0.2:6379",
            {"Addr": "10.0.0.2", "Port": 6379},
            {"Addr": "10.0.0.2"},
        )
        for one in right:
            self.assertEqual(self.load("router", Redis=one).config.redis.url, "redis://10.0.0.2:6379")
        self.assertEqual(self.load("router", Redis={"Port": ":1"}).config.redis.url, "redis://127.0.0.1:1")
        self.assertEqual(self.load("router", Redis="[::1]:2").config.redis.url, "redis://[::1]:2")
        wrong: tuple[object, ...] = (7, {}, {"url": "redis://x"}, "x", {"Addr": "a b"})
        for one in wrong:
            self.assertIn("Redis: must be host:port", self.refused("router", Redis=one))

    def test_its_values_are_checked_like_all_others(self) -> None:
        self.assertIn(f"file {self.file} (Listen): gateway.listen = 5: ", self.refused("gateway", Listen=5))
        self.assertIn("must be loopback", self.refused("gateway", Listen="0.0.0.0:17000"))

    def test_the_advice_can_be_followed_in_such_a_file(self) -> None:
        """The two idioms of Go. No line of TOML can stand there, and the variables go with it."""
        self.file.write_text("{}")
        for listen in (":41960", "0.0.0.0:41960"):
            told = self.refused("monitor", Listen=listen)
            self.assertIn('monitor.listen = "0.0.0.0:41960": must be loopback', told)
            self.assertIn('In this file write "Listen": "127.0.0.1:30000"; for other machines also set', told)
            self.assertNotIn("Write instead", told)
            variables = dict(line.strip().split("=") for line in told.splitlines()[1:])
            self.assertEqual(variables["FISHCHAT__MONITOR__LISTEN_TLS"], "0.0.0.0:41960")
            self.file.write_text('{"Listen": "127.0.0.1:30000"}')
            loaded = load(self.file, role="monitor", environment={**variables, "FISHCHAT__MONITOR__ACCOUNTS": "ann"})
            self.assertEqual(loaded.config.monitor.listen_tls, "0.0.0.0:41960")
        told = self.refused("monitor", Listen=":30000")
        self.assertIn("FISHCHAT__MONITOR__LISTEN_TLS=0.0.0.0:30443", told)
        risky = {"FISHCHAT__RISKS__PLAIN_TEXT_ON_THE_NETWORK": "1", "FISHCHAT__RISKS__ANYONE_MAY_LOG_IN_AS_ANYONE": "1"}
        self.file.write_text('{"Listen": ":17001"}')
        self.assertEqual(load(self.file, role="gateway", environment=risky).config.gateway.listen, "0.0.0.0:17001")
        self.assertEqual(self.load("router", Redis=":6380").config.redis.url, "redis://127.0.0.1:6380")

    def test_a_key_nobody_knows_is_told(self) -> None:
        self.assertIn("did you mean Listen?", self.load("gateway", Lisen="127.0.0.1:1").notes[0])
        self.assertIn("no key of the original", self.load("gateway", Xyz=1).notes[0])

    def test_it_is_for_one_role(self) -> None:
        self.assertIn("say which", self.refused(None, Listen="127.0.0.1:17000"))

    def test_only_capitalised_keys_make_an_original(self) -> None:
        self.assertTrue(is_original({"Listen": "x"}))
        self.assertFalse(is_original({}))
        self.assertFalse(is_original({"Listen": "x", "gateway": {}}))
        self.assertIn("did you mean", self.refused("gateway", Gateway={}, limits={}))

"""The layout of ``fishchat up --processes``: processes and ports."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.config.load import load
from fishchat.config.schema import Config, Gateway, MsgServer, Redis
from fishchat.services.launch.layout import stages


class LayoutTests(SynchronousTestCase):
    def test_the_recommended_layout(self) -> None:
        """A gateway, two msg_servers, a router, a manager, a monitor; clients' servers stop first."""
        names = [[role.name for role in stage] for stage in stages(Config(data="/srv/chat"))]
        self.assertEqual(names, [["monitor"], ["manager"], ["router"], ["gateway", "ms1", "ms2"]])

    def test_what_differs_between_two_msg_servers(self) -> None:
        """Each has its own id, port, and what clients are told; all have the one Redis and the lifeline."""
        config = Config(data="/srv/chat", msg_server=MsgServer(listen="127.0.0.1:19000", advertise="chat.example:443"))
        first, second = (role.environment for role in stages(config)[-1][1:])
        self.assertEqual(first["FISHCHAT__MSG_SERVER__ID"], "ms1")
        self.assertEqual(second["FISHCHAT__MSG_SERVER__ID"], "ms2")
        self.assertEqual(second["FISHCHAT__MSG_SERVER__LISTEN"], "127.0.0.1:19001")
        self.assertEqual(second["FISHCHAT__MSG_SERVER__ADVERTISE"], "chat.example:444")
        self.assertEqual(second["FISHCHAT__REDIS__URL"], "unix:///srv/chat/redis.sock")
        self.assertEqual(second["FISHCHAT__DATA"], "/srv/chat")
        self.assertEqual(second["FISHCHAT_LIFELINE"], "stdin")

    def test_tls(self) -> None:
        """The n-th msg_server's port for TLS is n higher, and what its clients are told; the gateway knows them."""
        section = MsgServer(listen_tls="0.0.0.0:19443", advertise_tls="chat.example:443")
        config = Config(data="/srv/chat", msg_server=section)
        gateway, _, second = (role.environment for role in stages(config)[-1])
        self.assertEqual(second["FISHCHAT__MSG_SERVER__LISTEN_TLS"], "0.0.0.0:19444")
        self.assertEqual(second["FISHCHAT__MSG_SERVER__ADVERTISE_TLS"], "chat.example:444")
        self.assertEqual(gateway["FISHCHAT__GATEWAY__SERVERS_TLS"], "chat.example:443,chat.example:444")
        for more, known in (
            ({"gateway": Gateway(servers_tls=["10.0.0.1:1"])}, "10.0.0.1:1"),
            ({"msg_server": MsgServer(listen_tls="192.0.2.1:5")}, "192.0.2.1:5,192.0.2.1:6"),
            # Only the certificate says what this machine is called.
            ({"msg_server": MsgServer(listen_tls="[::]:5")}, None),
            ({"msg_server": MsgServer()}, None),
        ):
            environment = stages(Config(**more))[-1][0].environment
            self.assertEqual(environment.get("FISHCHAT__GATEWAY__SERVERS_TLS"), known)

    def test_web(self) -> None:
        """So are the ports for pages, and the addresses that pages are told."""
        section = MsgServer(listen_web_tls="0.0.0.0:17543", advertise_web="a:80", advertise_web_tls="chat.example:443")
        second = stages(Config(data="/srv/chat", msg_server=section))[-1][2].environment
        for key, address in (
            ("LISTEN_WEB", "127.0.0.1:17082"),
            ("LISTEN_WEB_TLS", "0.0.0.0:17544"),
            ("ADVERTISE_WEB", "a:81"),
            ("ADVERTISE_WEB_TLS", "chat.example:444"),
        ):
            self.assertEqual(second["FISHCHAT__MSG_SERVER__" + key], address)

    def test_gateway_knows_the_servers(self) -> None:
        """Before any heartbeat the gateway offers the servers of the layout, unless others are configured."""
        environment = stages(Config())[-1][0].environment
        self.assertEqual(environment["FISHCHAT__GATEWAY__SERVERS"], "127.0.0.1:19000,127.0.0.1:19001")
        environment = stages(Config(gateway=Gateway(servers=["10.0.0.1:1"])))[-1][0].environment
        self.assertEqual(environment["FISHCHAT__GATEWAY__SERVERS"], "10.0.0.1:1")

    def test_external_redis_and_file_are_passed_on(self) -> None:
        """The roles use the Redis of the configuration, and read the same file."""
        role = stages(Config(redis=Redis(url="redis://10.0.0.1")), "/etc/fishchat.toml")[0][0]
        self.assertEqual(role.environment["FISHCHAT__REDIS__URL"], "redis://10.0.0.1")
        wanted = ["fishchat-monitor", "--name", "monitor", "--config", "/etc/fishchat.toml"]
        self.assertEqual(list(role.arguments[-5:]), wanted)

    def test_environment(self) -> None:
        """Every process accepts its environment: no variable is refused as unknown."""
        for stage in stages(Config(data=str(Path(self.mktemp()).absolute()))):
            for one in stage:
                load(environment=one.environment)

    def test_names(self) -> None:
        """The command line of each process has its name, by which lists of processes tell two msg_servers apart."""
        for stage in stages(Config()):
            for one in stage:
                words = list(one.arguments)
                self.assertEqual(words[words.index("--name") + 1], one.name)

    def test_several_machines(self) -> None:
        """Msg_servers that share an external Redis with those of another machine have other ids than those."""
        external = Redis(url="redis://10.0.0.1")
        self.patch(socket, "gethostname", lambda: "chat1")
        for config, wanted in (
            (Config(redis=external), ["ms1-chat1", "ms2-chat1"]),
            (Config(redis=external, msg_server=MsgServer(id="left")), ["left1", "left2"]),
        ):
            servers = [one.environment["FISHCHAT__MSG_SERVER__ID"] for one in stages(config)[-1][1:]]
            self.assertEqual(servers, wanted)

    def test_python_path(self) -> None:
        """An empty entry of PYTHONPATH, which stands for the current directory, is not passed on."""
        self.patch(os, "environ", {**os.environ, "PYTHONPATH": ":/opt/one::"})
        path = stages(Config())[0][0].environment["PYTHONPATH"].split(":")
        self.assertEqual(path[1:], ["/opt/one"])

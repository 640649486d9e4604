"""Every figure of a heartbeat has a row in the table, and every row is reported."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from fishchat.bus import channels, figures
from fishchat.bus.figures import FIGURES, Kind
from fishchat.config import roles, schema
from fishchat.services.role import Parts
from fishchat.services.roles import build
from fishchat.services.running.heartbeat import Heartbeat
from fishchat.test.support.tls_fixture import authority
from fishchat.testing.memory_bus import MemoryBus


class Reported(SynchronousTestCase):
    """What the roles report, built as in a process of all roles, with listeners for TLS."""

    def setUp(self) -> None:
        data = Path(self.mktemp()).absolute()
        tls = "127.0.0.1:0"
        config = schema.Config(
            data=str(data),
            tls=schema.Tls(certificate=str(authority().server), key=str(authority().server_key)),
            gateway=schema.Gateway(listen_tls=tls),
            msg_server=schema.MsgServer(listen_tls=tls, advertise_tls="localhost:1"),
            monitor=schema.Monitor(listen_tls=tls, accounts=["anna"]),
        )
        parts = Parts(config, embedded=False)
        bus = parts.bus = MemoryBus()
        beats: list[bytes] = []
        bus.subscribe(channels.MONITOR, beats.append)
        services = [service for role in roles.ROLES for service in build(role, parts)]
        parts.certificates.startService()
        self.addCleanup(parts.certificates.stopService)
        for service in services:
            if isinstance(service, Heartbeat):
                service.beat()
        self.beats = [channels.Heartbeat.decode(beat) for beat in beats]

    def test_rows(self) -> None:
        """The names are those of the table, role by role."""
        self.assertEqual({beat.role for beat in self.beats}, {role.name for role in roles.ROLES})
        for beat in self.beats:
            named = {figure.name for figure in figures.of_role(beat.role)}
            self.assertEqual(set(beat.figures), named, beat.role)

    def test_integers(self) -> None:
        """They are integers, unless the table says otherwise."""
        for beat in self.beats:
            for figure in figures.of_role(beat.role):
                if figure.whole:
                    self.assertEqual(beat.figures[figure.name] % 1, 0, figure.name)


class Table(SynchronousTestCase):
    """The rows themselves."""

    def test_complete(self) -> None:
        """Each has a unit, a sentence, and roles that there are; no role has two of one name."""
        known = {role.name for role in roles.ROLES}
        for figure in FIGURES:
            self.assertTrue(figure.roles and known.issuperset(figure.roles), figure.name)
            self.assertTrue(figure.unit)
            self.assertRegex(figure.help, r"^[A-Z].+\.$")
            self.assertIsInstance(figure.kind, Kind)
        pairs = [(role, figure.name) for figure in FIGURES for role in figure.roles]
        self.assertEqual(len(pairs), len(set(pairs)))

    def test_shown(self) -> None:
        """In the order of the table, integers as such; what another version reports beyond it comes last."""
        shown = figures.shown("router", {"new": 1.5, "messages": 12.0, "shards": 1.0})
        self.assertEqual(list(shown.items()), [("shards", 1), ("messages", 12), ("new", 1.5)])
        self.assertEqual(str(shown), "{'shards': 1, 'messages': 12, 'new': 1.5}")
        self.assertEqual(figures.shown("monitor", {"certificate_days": 29.5}), {"certificate_days": 29.5})
        self.assertEqual(figures.shown("unknown", {"x": 1.0}), {"x": 1.0})

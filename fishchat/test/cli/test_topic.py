"""``fishchat topic`` as an operator uses it: in processes of its own, on a real store, with and without servers."""

from __future__ import annotations

import re

from click.testing import CliRunner
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

from fishchat.cli import main
from fishchat.cli.topic import explained
from fishchat.errors import Refusal
from fishchat.proof.processes import HERE, MISSING
from fishchat.proof.site import Place, Up
from fishchat.services.redis import program
from fishchat.test.support.govern_runner import TOPIC, GovernCase
from fishchat.test.support.tls_clients import SocketClient, connect_plain
from fishchat.test.support.user_runner import CHEAP, Commands, at_once


class Changing(GovernCase, Commands):
    """Redis runs but no server does: the notices are stored, and members receive them later."""

    words = ("topic",)

    def setUp(self) -> None:
        """The epoch is the one of this Redis."""
        super().setUp()
        self.data = self.server.data
        self.command("SET", "epoch:run", re.findall(r"run_id:(\w+)", self.command("INFO", "server"))[0])

    def tearDown(self) -> None:
        """It is the same Redis as before, and no lease is left."""
        self.assertEqual(program.running_process(self.data), self.server.pid)
        self.assertEqual(self.server.command("KEYS", "lease:operator*"), [])

    async def test_shown(self) -> None:
        """What there is, for people and for programs; nothing that stands in the store acts on the terminal."""
        self.command("HSET", "topic:" + TOPIC, "name", "Fi\x1b[2Jsh")
        self.create("bob", "boats", "invitation")
        listed, table, show, shown, unknown = await at_once(
            self.good("list", "--json"),
            self.good("list"),
            self.good("show", "fishing"),
            self.good("show", "boats", "--json"),
            self.refused("show", "nothing"),
        )
        self.assertEqual(
            [(each["topic"], each["owner"]) for each in listed.json], [("boats", "bob"), ("fishing", "alice")]
        )
        self.assertEqual(table.out.splitlines()[1].split(), ["boats", "bob", "invitation", "1"])
        self.assertEqual((shown.json["kind"], shown.json["members"]), ("invitation", "1"))
        for said in (table, show):
            self.assertIn(r"Fi\x1b[2Jsh", said.out)
        self.assertEqual(unknown, f"Error: there is no topic nothing in {self.data}")

    async def test_changed(self) -> None:
        """Each change is said, is a notice from nobody, and is in the audit record with its reason."""
        for line, said in (
            ("set fishing slow 30", "changed slow of the topic fishing"),
            ("owner fishing bob --why alice-is-gone", "bob owns the topic fishing"),
            ("mute fishing carol --hours 2 --reason loud", "carol is muted in the topic fishing"),
            ("unmute fishing carol", "carol is not muted in the topic fishing any more"),
            ("kick fishing carol", "carol is no member of the topic fishing any more"),
            ("ban fishing dave --days 7 --reason spam", "dave is banned from the topic fishing"),
            ("unban fishing dave", "dave is not banned from the topic fishing any more"),
        ):
            self.assertEqual((await self.good(*line.split())).out, said + "\n")
        texts = self.texts()[1:]
        self.assertRegex(texts.pop(2), r"\AMUTED carol \d{13} loud\Z")
        told = ["SET slow 30", "OWNER bob", "UNMUTED carol", "KICKED carol", "BANNED dave 604800 spam", "UNBANNED dave"]
        self.assertEqual(texts, told)
        bodies = [fields[3] for _, fields in self.command("XRANGE", "log:" + TOPIC, "(7-1", "+")]
        self.assertEqual({body[:11] for body in bodies}, {"- * -1 n " + body[9:11] for body in bodies})
        events = [
            dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in self.command("XRANGE", "audit", "-", "+")
        ]
        self.assertEqual([event["action"] for event in events], [
            "topic-set", "topic-owner", "topic-mute", "topic-unmute", "topic-kick", "topic-ban", "topic-unban",
        ])  # fmt: skip
        self.assertEqual({event["what"] for event in events}, {"fishing"})
        self.assertEqual((events[1]["account"], events[1]["why"]), ("bob", "alice-is-gone"))

    async def test_refused(self) -> None:
        """Each refusal is a line that names topic and account; nothing is stored."""
        self.mute("alice", "carol")
        before = self.dump()
        lines = (
            ("kick fishing alice", "alice owns the topic fishing; name another owner first"),
            ("kick fishing dave", "dave is not a member of the topic fishing"),
            ("owner fishing dave", "dave is not a member"),
            ("owner fishing carol", "carol is muted in the topic fishing or banned from it"),
            ("unban fishing dave", "there is no topic fishing in"),
            ("ban nothing bob", "there is no topic nothing in"),
            ("dismiss fishing", "nothing was dismissed"),
        )
        told = await at_once(*[self.refused(*line.split()) for line, _ in lines])
        for (line, wanted), heard in zip(lines, told, strict=True):
            self.assertIn(wanted, heard, line)
        self.assert_unchanged(before)

    async def test_dismiss(self) -> None:
        """The topic ends, and all of its members are released."""
        said = await self.good("dismiss", "fishing", "--yes")
        self.assertEqual(said.out, "dismissed the topic fishing\n")
        self.assertEqual(self.texts()[-1], "DISMISSED fishing")
        for account in ("alice", "bob", "carol"):
            self.assertEqual(self.packed("topics/list", account), [])
        self.assertEqual(self.create("carol", "fishing")[0], "OK")

    async def test_old_server(self) -> None:
        """A server of an earlier version would not understand it."""
        self.register_old()
        self.assertIn("a server of an earlier version is running", await self.refused("kick", "fishing", "carol"))


class WithServers(Commands):
    """A real ``fishchat up --processes`` with two msg_servers."""

    skip = MISSING or None
    words = ("topic",)

    async def test_everything(self) -> None:
        """Members on both msg_servers read the notice at once; a banned one reads nothing after it."""
        place = Place()
        self.addCleanup(place.close)
        self.data = place.data
        up = Up(place, environment=place.environment(PYTHONPATH=HERE, **CHEAP))
        self.addCleanup(up.kill)
        await up.when_alive(reactor)
        alice, bob = [await self.logged_in(place.msg_server + n, name) for n, name in enumerate(("alice", "bob"))]
        await alice.ask("CREATE fishing", "OK …")
        await bob.ask("JOIN fishing", "OK …")
        await alice.expect("RESP_NOTICE bob #fishing:… JOINED bob")
        await self.good("set", "fishing", "about", "boats")
        for client in (alice, bob):
            await client.expect("RESP_NOTICE - #fishing:… SET about boats")
        await self.good("ban", "fishing", "bob")
        for client in (alice, bob):
            await client.expect("RESP_NOTICE - #fishing:… BANNED bob 0")
        await alice.ask("SAY fishing he is gone", "OK …")
        await bob.ask("SAY fishing hello?", "ERR SEND_MESSAGE_TOPIC NOTMEMBER …")
        self.assertEqual(await up.stop(reactor), 0)

    async def logged_in(self, port: int, account: str) -> SocketClient:
        """A client that has come in."""
        client, _ = await connect_plain(port, account)
        self.addCleanup(client.drop)
        await client.expect("HELLO fishchat/1 …")
        await client.ask(f"LOGIN {account}", f"OK SEND_CLIENT_ID {account}…")
        await client.expect("RESP_SYNCED")
        return client


class Refusing(SynchronousTestCase):
    """What is refused before the store is asked anything."""

    def test_bad_values(self) -> None:
        """Names, settings, values and times that there are not."""
        for line in (
            "show Fishing",
            "set fishing colour red",
            "set fishing slow much",
            "ban fishing bob --days 0",
            "mute fishing bob --hours 9000",
            "kick fishing bob --reason a\u202eb",
        ):
            result = CliRunner().invoke(main, ["topic", *line.split(" ")])
            self.assertEqual(result.exit_code, 2, (line, result.output))

    def test_explained(self) -> None:
        """Other refusals are shown as they are."""
        self.assertEqual(explained(Refusal("FULL"), "fishing", "bob", "x"), Refusal("FULL").text)

"""``fishchat user`` as an operator uses it: in processes of its own, on a real store, with and without servers."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.internet import reactor
from twisted.internet.task import LoopingCall
from twisted.trial.unittest import SynchronousTestCase

from fishchat.cli import main
from fishchat.cli.passwords import VARIABLE
from fishchat.cli.user import user
from fishchat.model.secrets.passwords import Costs, check
from fishchat.model.secrets.tokens import fingerprint
from fishchat.proof.processes import HERE, MISSING, command_line
from fishchat.proof.site import Place, Up
from fishchat.services.redis import program
from fishchat.test.support.account_runner import AccountCase
from fishchat.test.support.redis_fixture import RedisServer
from fishchat.test.support.script_runner import MS2, Said
from fishchat.test.support.tls_clients import SocketClient, connect_plain
from fishchat.test.support.user_runner import CHEAP, NOTHING, Commands, Environment, at_once
from fishchat.test.support.waiting import until

PASSWORD = "correct horse battery"
COSTS = Costs(8192, 1, 4096)


def is_password(text: str, argon: bytes) -> bool:
    """Whether that hash is of this password."""
    return check(text.encode(), argon, COSTS)


class Alone(Commands):
    """No server runs, nor Redis: the command starts it and ends it."""

    def setUp(self) -> None:
        self.server = RedisServer(start=False)
        self.addCleanup(self.server.close)
        self.data = self.server.data
        self.addCleanup(self.is_over)

    def is_over(self) -> None:
        """Nothing that a command started has outlived it."""
        if self.server.pid is None:
            self.assertIsNone(program.running_process(self.data))

    async def test_add(self) -> None:
        """Passwords from a file, the standard input and the environment; all at once, and in no process list."""
        file = self.data / "secret"
        file.write_text("alices " + PASSWORD + "\n")
        seen: set[str] = set()
        watch = LoopingCall(lambda: seen.update(command_lines()))
        watch.start(0.02)
        await at_once(
            self.good("add", "alice", "--name", "Älice", "--password-file", str(file)),
            self.good("add", "bob", "--password-file", "-", stdin=b"bobs " + PASSWORD.encode() + b"\r\n"),
            self.good("add", "carol", env={VARIABLE: "carols " + PASSWORD}),
            self.good("add", "dave", "--no-password"),
        )
        watch.stop()
        self.assertTrue(any("\0add\0carol" in line for line in seen), seen)
        self.assertEqual([line for line in seen if PASSWORD in line], [])
        self.assertIsNone(program.running_process(self.data))

        listed = await self.good("list", "--json")
        self.assertIn(f"note: the store is {self.data}\n", listed.err)
        accounts = [(each["account"], each["name"]) for each in listed.json]
        self.assertEqual(accounts, [("alice", "Älice"), ("bob", ""), ("carol", ""), ("dave", "")])
        self.server.start()
        for name in ("alice", "bob", "carol"):
            argon = self.server.command("HGET", f"account:{name}", "argon")
            self.assertTrue(is_password(f"{name}s {PASSWORD}", argon), name)
        self.assertEqual(self.server.command("HKEYS", "account:dave"), [b"created", b"version"])

    async def test_prompt(self) -> None:
        """At a terminal the password is asked for twice, until both are alike, and is not shown."""
        running = self.start("add", "alice", terminal=True)
        await running.type(b"Password: ", PASSWORD)
        await running.type(b"Repeat password: ", PASSWORD + "!")
        await running.type(b"Password: ", PASSWORD)
        await running.type(b"Repeat password: ", PASSWORD)
        said = await running.ended
        self.assertEqual(said.status, 0, said)
        self.assertIn("do not match", said.out)
        self.assertNotIn(PASSWORD, said.out)
        self.server.start()
        self.assertTrue(is_password(PASSWORD, self.server.command("HGET", "account:alice", "argon")))

    async def test_confirmation(self) -> None:
        """What is to be deleted has to be typed; with another name nothing is, nor any store asked."""
        running = self.start("delete", "alice", terminal=True)
        await running.type(b"to delete this account permanently: ", "alic")
        said = await running.ended
        self.assertEqual(said.status, 1, said)
        self.assertIn("nothing was deleted", said.out)
        self.server.start()
        running = self.start("delete", "alice", terminal=True)
        await running.type(b"to delete this account permanently: ", "alice")
        self.assertIn(f"there is no account alice in {self.data}", (await running.ended).out)

    async def test_absent(self) -> None:
        """No command but ``add`` begins a store; that one says so, and where, and none asks for anything before."""
        before = set(self.data.iterdir())
        lines = ["list", "disable bob", "delete bob --yes", "invite"]
        told = await at_once(
            *[self.refused(*line.split()) for line in lines], self.refused("passwd", "bob", env={VARIABLE: PASSWORD})
        )
        for line in told:
            self.assertIn(f"there is no FishChat in {self.data}, and nothing was made there", line)
        running = self.start("passwd", "bob", terminal=True)
        self.assertIn("there is no FishChat", (await running.ended).out)
        self.assertEqual(set(self.data.iterdir()), before)
        for name, note in (("bob", f"note: there was no FishChat in {self.data}; this makes a new one\n"), ("eve", "")):
            said = await self.good("add", name, "--no-password")
            self.assertEqual(said.out, f"created account {name} in {self.data}\n")
            self.assertEqual("there was no FishChat" in said.err, bool(note))
            self.assertIn(note, said.err)

    async def test_asked_last(self) -> None:
        """A password is asked for when it is known that it can be set, and Ctrl+C ends the question."""
        await self.good("add", "alice", "--no-password")
        for line, why in (
            ("passwd nobody", f"there is no account nobody in {self.data}"),
            ("add alice", f"the name alice is taken in {self.data}"),
        ):
            said = await self.start(*line.split(), terminal=True).ended
            self.assertIn(why, said.out)
            self.assertNotIn("Password", said.out)
        running = self.start("passwd", "alice", terminal=True)
        await until(lambda: running.out.endswith(b"Password: "))
        running.signal(signal.SIGINT)
        said = await running.ended
        self.assertEqual(said.status, 1, said)
        self.assertTrue(said.out.endswith("Aborted!\r\n"), said)


class Changing(AccountCase, Commands):
    """Redis runs, as another one's: it is left alone. What the servers would have done is done by scripts."""

    def setUp(self) -> None:
        super().setUp()
        self.data = self.server.data

    def tearDown(self) -> None:
        """It is the same Redis as before."""
        self.assertEqual(program.running_process(self.data), self.server.pid)

    async def test_nobody(self) -> None:
        """An account that is not there, and a name that is taken, are a line each, and nothing is stored."""
        self.enrol("alice")
        before = self.dump()
        told = at_once(
            self.refused("passwd", "nobody", env={VARIABLE: PASSWORD}),
            self.refused("token", "nobody", "lamp"),
            self.refused("add", "alice", "--no-password"),
        )
        taken = f"the name alice is taken in {self.data} (names of deleted accounts stay taken); choose another one"
        nobody = f"Error: there is no account nobody in {self.data}"
        self.assertEqual(await told, [nobody, nobody, f"Error: {taken}"])
        self.assert_unchanged(before)

    async def test_shown(self) -> None:
        """What there is, for people and for programs; nothing that stands in the store acts on the terminal."""
        self.enrol("alice", name="Al\x1b[2J\u202eice")
        self.by_secret("alice")
        self.by_secret("alice", "phone", token="other", fence=MS2)
        show, shown, listed, devices = await at_once(
            self.good("show", "alice"),
            self.good("show", "alice", "--json"),
            self.good("list"),
            self.good("devices", "alice", "--json"),
        )
        created = int(self.command("HGET", "account:alice", "created"))
        self.assertEqual((shown.json["account"], shown.json["created"]), ("alice", created))
        self.assertEqual((shown.json["disabled"], shown.json["online"], shown.json["devices"]), (0, 2, 2))
        self.assertTrue(shown.json["password"])
        self.assertEqual([device["device"] for device in devices.json], ["main", "phone"])
        local = datetime.fromtimestamp(created / 1000).strftime("%Y-%m-%d %H:%M")
        for said in (show, listed):
            self.assertIn(r"Al\x1b[2J\u202eice", said.out)
            self.assertIn(local, said.out)
        for said in (show, shown, listed):
            self.assertTrue(said.out.isascii() and "\x1b" not in said.out, said.out)
            self.assertNotIn("argon", said.out)
            self.assertIn("accounts.mode is open", said.err)

    async def test_changed(self) -> None:
        """Each change is said, and how many sessions ended by it; again it changes nothing."""
        self.enrol("alice")
        self.by_secret("alice")
        self.by_secret("alice", "phone", token="other", fence=MS2)
        closed = {VARIABLE: PASSWORD, "FISHCHAT__ACCOUNTS__MODE": "closed"}
        said = await self.good("passwd", "alice", env=closed)
        self.assertEqual(said.out, "changed the password of alice; 2 sessions ended\n")
        self.assertEqual(said.err, f"note: the store is {self.data}\n")
        self.assertTrue(is_password(PASSWORD, self.runner.command("HGET", "account:alice", "argon")))
        self.assertEqual(self.by_secret("alice", version="2")[0], "OK")
        told = [(await self.good(command, "alice")).out for command in ("disable", "disable", "enable")]
        self.assertEqual(told[0], "alice is disabled; 1 session ended\n")
        self.assertIn("has been disabled since 20", told[1])
        self.assertEqual(told[2], "alice is enabled again\n")
        again, _ = await at_once(self.good("enable", "alice"), self.good("rename", "alice", "  鱼 "))
        self.assertEqual(again.out, "alice was not disabled\n")
        self.assertEqual(self.command("HGET", "account:alice", "name"), "鱼")

    async def test_devices(self) -> None:
        """A token is all that is printed; it takes the place of the device's former one; a lost device is revoked."""
        self.enrol("alice")
        first = await self.good("token", "alice", "lamp")
        again = await self.good("token", "alice", "lamp")
        self.assertNotIn("had ended with this", first.err)
        self.assertIn("the former token of lamp is no longer valid", again.err)
        self.assertEqual(self.by_token("alice", mark(first.out), "lamp"), ["AUTH"])
        self.assertEqual(self.by_token("alice", mark(again.out), "lamp")[0], "OK")
        refused, unknown = await at_once(
            self.refused("token", "alice", "more", env={"FISHCHAT__LIMITS__DEVICES": "1"}),
            self.refused("revoke", "alice", "car"),
        )
        self.assertIn("`limits.devices`", refused)
        self.assertEqual(unknown, "Error: alice has no device car")
        revoked = await self.good("revoke", "alice", "lamp")
        self.assertEqual(revoked.out, "lamp of alice: 1 token and 1 session ended\n")
        self.assertEqual(self.command("EXISTS", "tokens:alice", "session:alice"), 0)

    async def test_link(self) -> None:
        """The link is all that is printed; its code lets one device in. Where nobody needs one, that is said."""
        self.enrol("alice")
        closed = {"FISHCHAT__ACCOUNTS__MODE": "closed"}
        said, unknown, needless, pageless = await at_once(
            self.good("link", "alice", env=closed),
            self.refused("link", "nobody", env=closed),
            self.refused("link", "alice"),
            self.refused("link", "alice", env={**closed, "FISHCHAT__WEB__LISTEN": ""}),
        )
        page, _, code = said.out.strip().partition("#account=alice&code=")
        self.assertEqual(page, "http://127.0.0.1:17080/")
        self.assertRegex(code, "^fcc_[A-Za-z0-9_-]{22}$")
        self.assertNotIn(code, str(self.dump()))
        redeem = ("accounts/redeem_code", mark(code), "alice", "phone", "token", 10, "", 0, 0)
        self.assertEqual([self.call(*redeem), self.call(*redeem)], [["OK"], ["AUTH"]])
        self.assertIn("there is no account nobody", unknown)
        self.assertIn("nobody needs a link", needless)
        self.assertIn("there are no pages", pageless)

    async def test_invitations(self) -> None:
        """The code is all that is printed; it is listed by another name, and withdrawn by that."""
        some, one = await at_once(
            self.good("invite", "--uses", "3", "--days", "2"), self.good("invite", "--for", "carol")
        )
        self.assertIn(f"@invite={some.out.strip()} CREATE_CLIENT <name> <password>\n", some.err)
        self.assertIn(f"@invite={one.out.strip()} CREATE_CLIENT carol <password>\n", one.err)
        self.assertIn(f"the page to open: http://127.0.0.1:17080/#invite={one.out.strip()}\n", one.err)
        listed, table = await at_once(self.good("invitations", "--json"), self.good("invitations"))
        first, second = listed.json
        self.assertEqual([line.split()[-1] for line in table.out.splitlines()], ["FOR", "anybody", "carol"])
        self.assertEqual((first["id"], first["uses"], first["account"]), (mark(some.out)[:12], 3, ""))
        self.assertEqual((second["id"], second["uses"], second["account"]), (mark(one.out)[:12], 1, "carol"))
        self.assertEqual(self.enrol("carol", invitation=mark(one.out), needed=True), ["OK"])
        _, refused = await at_once(self.good("withdraw", first["id"]), self.refused("withdraw", second["id"]))
        self.assertEqual(self.enrol("dave", invitation=mark(some.out), needed=True), ["INVITATION"])
        self.assertIn("there is no invitation", refused)

    async def test_delete(self) -> None:
        """What was erased is counted; whoever asks again is told that nothing was left."""
        for name in ("alice", "bob"):
            self.enrol(name)
            self.by_secret(name)
        for _ in range(6):
            self.send(*[Said("alice", "bob", "hers")] * 200)
        self.said("bob", "alice", "his")
        self.create("alice", "fishing")
        self.join("bob", "fishing")
        self.said("alice", "#fishing", "x")
        self.create("alice", "alone")
        said = await self.good("delete", "alice", "--yes", "--json")
        counts = {"messages": 1201, "conversations": 3, "memberships": 2, "topics_passed_on": 1, "topics_ended": 1}
        self.assertEqual(said.json, {**counts, "devices": 1, "tokens": 1, "sessions": 1})
        self.assertEqual(self.log("alice+bob"), [("7-1201", "his")])
        again = await self.good("delete", "alice", "--yes")
        self.assertEqual(again.out, "account alice was deleted before; nothing was left to erase\n")
        self.assertEqual(set((await self.good("delete", "alice", "--yes", "--json")).json.values()), {0})

    async def test_delete_again(self) -> None:
        """A deletion that was interrupted is completed, and that is said."""
        self.enrol("alice")
        self.enrol("bob")
        self.send(Said("alice", "bob", "hers"))
        self.call("accounts/erase", "alice", "")
        again = await self.good("delete", "alice", "--yes")
        self.assertTrue(again.out.startswith("completed the deletion of account alice; erased:\nmessages"), again)
        self.assertEqual(again.out.splitlines()[1].split(), ["messages", "1"])


class WithServers(Commands):
    """A real ``fishchat up --processes`` with two msg_servers."""

    skip = MISSING or None

    async def test_everything(self) -> None:
        """Servers follow at once: who is disabled is told so on both msg_servers, and closed, within a second."""
        place = Place()
        self.addCleanup(place.close)
        self.data = place.data
        closed = {"FISHCHAT__ACCOUNTS__MODE": "closed"}
        up = Up(place, environment=place.environment(PYTHONPATH=HERE, **CHEAP, **closed))
        self.addCleanup(up.kill)
        await up.when_alive(reactor)
        redis = up.running()["redis"]
        file = place.data / "password"
        file.write_text(PASSWORD)
        await self.good("add", "alice", "--password-file", str(file), env=closed)
        secrets = [PASSWORD, (await self.good("token", "alice", "d2", env=closed)).out.strip()]
        alices = [await self.logged_in(place.msg_server + n, "alice", f"d{n + 1}", secrets[n]) for n in range(2)]
        disabling = self.start("disable", "alice", env=closed)
        for alice in alices:
            await alice.expect("RESP_REVOKED disabled")
            await alice.gone()
        gone = time.time()
        self.assertEqual((await disabling.ended).out, "alice is disabled; 2 sessions ended\n")
        shown = await self.good("show", "alice", "--json", env=closed)
        took = gone - shown.json["disabled"] / 1000
        self.assertLess(took, 1.0)
        alice, _ = await connect_plain(place.msg_server, "alice")
        await alice.expect("HELLO …")
        await alice.ask(f"@device=d2 LOGIN alice {secrets[1]}", "ERR SEND_CLIENT_ID AUTH …")

        self.assertEqual(up.running()["redis"], redis)
        self.assertEqual(await up.stop(reactor), 0)

    async def logged_in(self, port: int, account: str, device: str, secret: str) -> SocketClient:
        """A client that has come in."""
        client, _ = await connect_plain(port, account)
        self.addCleanup(client.drop)
        await client.expect("HELLO fishchat/1 …")
        await client.ask(f"@device={device} LOGIN {account} {secret}", f"OK SEND_CLIENT_ID {account}…")
        await client.expect("RESP_SYNCED")
        return client


class Refusing(SynchronousTestCase):
    """What is refused before the store is asked anything, or even made."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp()).absolute()

    def tearDown(self) -> None:
        """No store was looked for."""
        self.assertFalse(self.data.exists())

    def run_user(self, *arguments: str, stdin: str = "", env: Environment = NOTHING) -> Result:
        """With that directory."""
        names = [name for name in os.environ if name.startswith("FISHCHAT")]
        told = {**dict.fromkeys(names), **CHEAP, "FISHCHAT__DATA": str(self.data), **env}
        return CliRunner().invoke(main, ["user", *arguments], input=stdin, env=told)

    def refused(self, *arguments: str, status: int = 1, stdin: str = "", env: Environment = NOTHING) -> str:
        """What it complains of."""
        result = self.run_user(*arguments, stdin=stdin, env=env)
        self.assertEqual(result.exit_code, status, result.output)
        self.assertEqual(result.stdout, "")
        return result.stderr

    def test_no_password(self) -> None:
        """Without a terminal, and given none, it tells the three ways."""
        for command in ("add", "passwd"):
            told = self.refused(command, "alice")
            for way in ("--password-file FILE", VARIABLE, "at a terminal"):
                self.assertIn(way, told)

    def test_weak(self) -> None:
        """A password that none may be is refused, from wherever it comes, and not shown."""
        weak = Path(self.mktemp())
        for text in ("seven77", "", "x" * 257, "fct_" + "x" * 30, "two\nlines of it"):
            weak.write_text(text)
            tries = (
                self.refused("add", "alice", "--password-file", str(weak)),
                self.refused("add", "alice", "--password-file", "-", stdin=text),
                self.refused("passwd", "alice", env={VARIABLE: text}),
            )
            for told in tries:
                self.assertIn("password", told)
                self.assertNotIn(text or "Traceback", told)

    def test_newline(self) -> None:
        """One newline is cut, a second one is a part of it, which no password may have."""
        self.refused("add", "alice", "--password-file", "-", stdin=PASSWORD + "\n\n")

    def test_no_file(self) -> None:
        """A file that cannot be read is named."""
        self.assertIn("/no/such/file", self.refused("add", "alice", "--password-file", "/no/such/file"))

    def test_names(self) -> None:
        """Names are looked at first, of accounts, devices and people."""
        for wrong in (
            ("show", "a b"),
            ("delete", ""),
            ("token", "alice", "My Phone"),
            ("revoke", "alice", "*"),
            ("add", "\udcff"),
        ):
            self.assertIn("use 1 to 32 of a-z", self.refused(*wrong, status=2))
        for advice, *advised in (
            ("try alice", "add", "Alice"),
            ("try carol", "invite", "--for", "Carol"),
            ("with NAME", "add", "爱丽丝"),
        ):
            self.assertIn(advice, self.refused(*advised, status=2))
        for name in ("", " ", "a\x1b[2J", "\u202ea", "x" * 65, "\udcff"):
            self.assertIn("a display name must", self.refused("rename", "alice", name, status=2))
            self.assertIn("a display name must", self.refused("add", "alice", "--name", name, status=2))

    def test_options(self) -> None:
        """What contradicts itself, or says too little."""
        for wrong in (
            ("add", "alice", "--no-password", "--password-file", "-"),
            ("revoke", "alice"),
            ("revoke", "alice", "phone", "--all"),
            ("invite", "--uses", "0"),
            ("invite", "--days", "0"),
            ("invite", "--uses", "2", "--for", "zoe"),
        ):
            self.refused(*wrong, status=2)

    def test_delete(self) -> None:
        """Without a terminal nobody can be asked whether it is meant."""
        self.assertIn("--yes", self.refused("delete", "alice", stdin="alice\n"))

    def test_configuration(self) -> None:
        """A configuration that cannot be used is told with its place, and so is a file of it."""
        told = self.refused("list", "--config", "/no/such/file.toml")
        self.assertIn("/no/such/file.toml", told)
        told = self.refused("list", env={"FISHCHAT__ACCOUNTS__MODE": "ajar"})
        self.assertIn("FISHCHAT__ACCOUNTS__MODE", told)

    def test_help(self) -> None:
        """Every command says what it does, and each option what it is for."""
        for name, command in user.commands.items():
            told = self.run_user(name, "--help").stdout
            self.assertIn(str(command.help).splitlines()[0].split()[0], told, name)
            for parameter in command.params:
                if parameter.param_type_name == "option":
                    self.assertTrue(getattr(parameter, "help", None), f"{name} {parameter.name}")


def command_lines() -> set[str]:
    """Of all processes that this one can see."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            found.add("\0".join(command_line(int(entry.name))))
    return found


def mark(secret: str) -> str:
    """What the store keeps of a token or an invitation."""
    return fingerprint(secret.strip().encode()).decode()

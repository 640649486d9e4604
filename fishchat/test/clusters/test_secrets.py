"""Secrets stand nowhere: a real FishChat is used with every kind of them, rightly and wrongly, and all that it leaves
behind is searched. Nor does anything that a peer sends act on the terminal of who reads logs, or of another client.
"""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from fishchat.proof.processes import HERE, children, free_ports
from fishchat.proof.site import Place, Up
from fishchat.protocols.lines import format_tags
from fishchat.services.redis import program
from fishchat.services.redis.probe import ask
from fishchat.test.support.matrix import ACTED_ON
from fishchat.test.support.rfc5802 import ScramClient
from fishchat.test.support.secret_forms import forms, found
from fishchat.test.support.tls_clients import SocketClient, begin_tls, connect_plain, connect_tls
from fishchat.test.support.tls_fixture import authority
from fishchat.test.support.user_runner import CHEAP, Commands, Said
from fishchat.test.support.waiting import until

#: Made so that no form of one looks like another one, and that SASLprep has something to do.
PASSWORDS = {
    "alice": 'Corréct "horse" \\ b%41+ﬁsh & 鱼',
    "alice, later": "Sécond one's / <b>&amp;",
    "bob": "Bob's own; pass=word",
    "bob, by the operator": "0perators choice, {2}",
    "carol": "Carol came by invitation!",
    "wrong": "Never anybody's passwörd",
    "too short": "Shrt7§x",
    "wrong invitation": "fci_Qm9ndXMtaW52aXRhdGlvbi1jb2Rl",
    "wrong token": "fct_Qm9ndXMtdG9rZW4tb2Ytbm9ib2R5",
}
#: What is no secret, and must be found where it was written: else the search would find nothing at all.
KNOWN = "known 鱼 words"

# Controls but line ends and TAB, and what changes the direction of writing.
_BIDI = "\u061c\u200e\u200f\u202a\u202e\u2066\u2069"
_UNREADABLE = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_BIDI}]")


class Ear(Protocol):
    """Hears what Redis is told by anybody, word for word."""

    heard = b""

    def connectionMade(self) -> None:
        self.transport.write(b"MONITOR\r\n")  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.heard += data


class FormsTests(SynchronousTestCase):
    """The search finds what it is to find."""

    def test_found(self) -> None:
        """A secret in the midst of something, in each encoding."""
        secret = PASSWORDS["alice"]
        raw = secret.encode()
        for before in (b"", b"a", b"ab", b"abc"):
            self.assertEqual(found({"it": secret}, b64encode(before + raw + b"more")), ["it"])
        for text in (b"x%sy" % raw, repr({"p": raw}).encode(), repr(secret).encode(), raw.hex().encode()):
            self.assertEqual(found({"it": secret}, text), ["it"], text)
        self.assertEqual(found({"it": secret}, b"nothing of it"), [])
        # In the form in which it is compared, too.
        self.assertIn('Corréct "horse" \\ b%41+fish & 鱼'.encode(), forms(secret))


class RealCase(Commands):
    """``fishchat up --processes`` with TLS and accounts, and everything that it ever says."""

    timeout = 120

    async def begin(self) -> None:
        """It runs, and Redis tells of every command."""
        self.place = Place()
        self.addCleanup(self.place.close)
        self.data = self.place.data
        self.gateway_tls, self.server_tls, self.monitor_tls = free_ports(3)
        self.settings = {
            **CHEAP,
            "PYTHONPATH": HERE,
            "FISHCHAT__ACCOUNTS__MODE": "closed",
            "FISHCHAT__LOG__LEVEL": "debug",
            "FISHCHAT__TLS__CERTIFICATE": str(authority().server),
            "FISHCHAT__TLS__KEY": str(authority().server_key),
            "FISHCHAT__GATEWAY__LISTEN_TLS": f"127.0.0.1:{self.gateway_tls}",
            "FISHCHAT__MSG_SERVER__LISTEN_TLS": f"127.0.0.1:{self.server_tls}",
            "FISHCHAT__MONITOR__LISTEN_TLS": f"127.0.0.1:{self.monitor_tls}",
            "FISHCHAT__MONITOR__ACCOUNTS": "bob",
        }
        self.up = Up(self.place, environment=self.place.environment(**self.settings))
        self.addCleanup(self.up.kill)
        await self.up.when_alive(reactor)
        # Redis, too, logs every event.
        self.socket = program.socket_path(self.data)
        await self.redis(("CONFIG", "SET", "loglevel", "debug"), ("CONFIG", "SET", "slowlog-log-slower-than", "0"))
        factory: Any = Factory.forProtocol(Ear)
        self.ear: Any = await UNIXClientEndpoint(reactor, self.socket).connect(factory)
        self.addCleanup(self.ear.transport.abortConnection)
        self.said: list[Said] = []
        self.lines: list[str] = []
        self.answers: list[bytes] = []

    async def redis(self, *commands: tuple[str, ...]) -> list[Any]:
        """What Redis answers to these."""
        return await ask(reactor, reactor, self.socket, *commands)

    async def user(self, *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Said:
        """``fishchat user`` on this store, and what it says is kept."""
        said = await self.ended(*arguments, stdin=stdin, env={"FISHCHAT__ACCOUNTS__MODE": "closed", **(env or {})})
        self.said.append(said)
        return said

    async def talk(self, client: SocketClient, *lines: str | bytes) -> list[str]:
        """Say these, and give what is heard until all of it is answered."""
        client.send(*lines, "@id=end PING")
        heard: list[str] = []
        while (line := await client.take()) != "@id=end OK SEND_PING":
            heard.append(line)
        self.lines += heard
        return heard

    async def web(self, request: bytes, secure: bool) -> bytes:
        """What the monitor answers."""
        if secure:
            _, wire = await begin_tls(self.monitor_tls, protocols=(b"http/1.1",))
        else:
            _, wire = await connect_plain(self.place.monitor)
        wire.transport.write(request)  # type: ignore[union-attr]
        await until(lambda: wire.reason is not None or b"}" in wire.heard)
        if wire.reason is None:
            wire.transport.abortConnection()  # type: ignore[union-attr]
        self.answers.append(wire.heard)
        return wire.heard

    def processes(self) -> dict[str, bytes]:
        """What everybody, or their own user, can read of the processes."""
        pids = {self.up.process.pid, *children(self.up.process.pid), *self.up.running().values()}
        paths = [Path("/proc", str(pid), name) for pid in pids for name in ("cmdline", "environ", "comm")]
        return {str(path): path.read_bytes() for path in paths}

    def left_behind(self) -> dict[str, bytes]:
        """Everything that there is to read: files, what was said, what Redis was told, pages."""
        files = {str(path): path.read_bytes() for path in self.data.rglob("*") if path.is_file()}
        files["commands"] = "\n".join(said.out + said.err for said in self.said).encode()
        files["lines"] = "\n".join(self.lines).encode()
        files["redis"] = self.ear.heard
        files["pages"] = b"\n".join(self.answers)
        return files


class Nowhere(RealCase):
    """Everything that is secret, in every way in which it comes in."""

    async def test_nowhere(self) -> None:
        """After all that can be done with secrets, rightly and wrongly, none is anywhere, in no form."""
        await self.begin()
        secrets = dict(PASSWORDS)
        await self._operate(secrets)
        await self._log_in(secrets)
        await self._misplace(secrets)
        await self._look(secrets)
        await self.redis(("BGREWRITEAOF",))
        processes = self.processes()
        self.assertGreaterEqual(len(processes), 3 * 8)
        await self.up.stop(reactor)
        texts = self.left_behind() | processes
        logs = [name for name in texts if name.endswith(".log")]
        self.assertGreaterEqual(len(logs), 7, logs)
        self.assertTrue(any(KNOWN.encode() in data for name, data in texts.items() if "aof" in name))
        self.assertIn(b"SEND", texts["lines"])
        self.assertGreater(len(texts["redis"]), 10_000)
        self.assertEqual({name: some for name, data in texts.items() if (some := found(secrets, data))}, {})

    async def _operate(self, secrets: dict[str, str]) -> None:
        """What an operator does."""
        files = Path(self.mktemp()).resolve()
        files.mkdir()
        for name, password in PASSWORDS.items():
            (files / name.replace(" ", "")).write_text(password + "\n")
        add = await self.user("add", "alice", "--password-file", str(files / "alice"))
        self.assertEqual(add.status, 0, add)
        await self.user("add", "bob", env={"FISHCHAT_PASSWORD": PASSWORDS["bob"]})
        for refused in (
            await self.user("add", "bob", "--password-file", "-", stdin=PASSWORDS["wrong"].encode()),
            await self.user("add", "dave", "--password-file", str(files / "tooshort")),
            await self.user("add", "dave", env={"FISHCHAT_PASSWORD": PASSWORDS["too short"]}),
            await self.user("add", "No Name", env={"FISHCHAT_PASSWORD": PASSWORDS["wrong"]}),
            await self.user("passwd", "nobody", "--password-file", str(files / "wrong")),
            await self.user("withdraw", PASSWORDS["wrong invitation"]),
        ):
            self.assertNotEqual(refused.status, 0, refused)
        # What was typed as an argument is shown again in the refusal: an identifier of an invitation is no secret.
        self.said.pop()
        for command, name in ((("invite",), "invitation"), (("token", "bob", "lamp"), "granted")):
            said = await self.user(*command)
            secrets[name] = said.out.strip()
            # That is what these two are for.
            self.said.pop()
        for shown in ("list", "show alice", "devices bob", "invitations --json"):
            await self.user(*shown.split())

    async def _log_in(self, secrets: dict[str, str]) -> None:
        """What people do: by password, token and proof, with TLS and without."""
        client = await connect_tls(self.server_tls)
        self.addCleanup(client.drop)
        wrong = [f"LOGIN alice {secrets[name]}" for name in ("wrong", "wrong token", "bob", "granted")]
        heard = await self.talk(client, *wrong)
        self.assertEqual([line.split(" ")[2] for line in heard], ["AUTH"] * 4)
        found = await client.ask(f"LOGIN alice {secrets['alice']}", "OK SEND_CLIENT_ID alice token=$token")
        secrets["token"] = found["token"]
        changed = (f"PASSWORD {secrets['too short']}", f"PASSWORD {secrets['alice, later']}", f"MSG bob {KNOWN}")
        heard = await self.talk(client, *changed)
        self.assertRegex("\n".join(heard), r"(?s)ERR SEND_PASSWORD PASSWORD .*OK SEND_PASSWORD\n.*OK SEND_MESSAGE_P2P")
        plain, _ = await connect_plain(self.place.msg_server)
        self.addCleanup(plain.drop)
        await plain.expect("HELLO …")
        found = await plain.ask(f"LOGIN alice {secrets['alice, later']}", "OK SEND_CLIENT_ID alice token=$token")
        secrets["token of another login"] = found["token"]
        for password, answer in (
            (secrets["wrong"], "ERR SEND_AUTH AUTH …"),
            (secrets["bob"], "OK SEND_AUTH … token=$it"),
        ):
            bob, _ = await connect_plain(self.place.msg_server)
            self.addCleanup(bob.drop)
            await bob.expect("HELLO …")
            scram = ScramClient("bob", password)
            found = await bob.ask(f"AUTH {scram.mechanism} {scram.first}", "OK SEND_AUTH $challenge")
            found = await bob.ask(f"AUTH {scram.mechanism} {scram.final(found['challenge'])}", answer)
        secrets["token of a proof"] = found["it"]
        await self.talk(bob, f"REVOKE {secrets['granted']}", "DEVICES", "REVOKE main")
        carol, _ = await connect_plain(self.place.msg_server)
        self.addCleanup(carol.drop)
        await carol.expect("HELLO …")
        code, bogus = secrets["invitation"], secrets["wrong invitation"]
        heard = await self.talk(
            carol,
            f"@invite={bogus} SIGNUP carol {secrets['carol']}",
            f"@invite={code} SIGNUP carol {secrets['too short']}",
            f"@invite={code} SIGNUP carol {secrets['carol']}",
            f"@invite={code} SIGNUP carla {secrets['carol']}",
        )
        self.assertEqual([line.split(" ")[2] for line in heard], ["INVITATION", "PASSWORD", "carol", "INVITATION"])
        await self.user("passwd", "bob", "--password-file", "-", stdin=secrets["bob, by the operator"].encode())

    async def _misplace(self, secrets: dict[str, str]) -> None:
        """Every secret where none belongs, on every port."""
        clients = [await connect_tls(self.server_tls), await connect_tls(self.gateway_tls)]
        for port in (self.place.gateway, self.place.msg_server + 1):
            client, _ = await connect_plain(port)
            await client.expect("HELLO …")
            clients.append(client)
        clients[0].send(f"LOGIN carol {secrets['carol']}")
        secrets["carol's token"] = (await clients[0].expect("OK … token=$token"))["token"]
        for client in clients:
            self.addCleanup(client.drop)
            for secret in list(secrets.values()):
                await self.talk(client, *_misplaced(secret))
        for port in (self.server_tls, self.gateway_tls, self.monitor_tls):
            client, wire = await connect_plain(port)
            client.send(f"LOGIN alice {secrets['alice']}", f"GET /?token={secrets['granted']} HTTP/1.1", "")
            await until(lambda wire=wire: wire.reason is not None)  # type: ignore[misc]

    async def _look(self, secrets: dict[str, str]) -> None:
        """At the monitor, rightly and wrongly."""
        for secure in (False, True):
            for account, name in (("bob", "granted"), ("bob", "wrong"), ("alice", "token"), ("bob", "bob")):
                basic = b64encode(f"{account}:{secrets[name]}".encode())
                for path in ("/servers", "/", f"/{_url(secrets[name])}", f"/?token={_url(secrets[name])}", "/healthz"):
                    request = (
                        b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Basic %s\r\n\r\n"
                    )
                    await self.web(request % (path.encode(), basic), secure)
        basic = secrets["granted"].encode()
        for request in (
            b"POST /servers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
            % (len(basic), basic),
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n" % basic,
            b"%s / HTTP/1.1\r\n\r\n" % basic,
            b"GET / %s\r\n\r\n" % basic,
            b"GET / HTTP/1.1\r\n%s\r\nConnection: close\r\n\r\n" % basic,
            b"GET / HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % basic,
        ):
            for secure in (False, True):
                await self.web(request, secure)
        pages = b"".join(self.answers)
        self.assertIn(b'"ms1"', pages)
        self.assertIn(b" 401 ", pages)


def _url(secret: str) -> str:
    return "".join(f"%{byte:02X}" for byte in secret.encode())


def _misplaced(secret: str) -> list[str | bytes]:
    tag = format_tags({b"device": secret.encode()}).decode()
    lines: list[str | bytes] = [
        secret,
        f"{secret} {secret}",
        f"LOGIN {secret}",
        f"LOGIN {secret} {secret}",
        f"LOGIN alice{secret}",
        f"{tag}LOGIN alice nothing-right",
        f"{tag.replace('device', 'secret')}PING",
        f"{tag.replace('device', 'id')}LOGIN",
        f"@{secret} PING",
        f"LOGIN\talice\t{secret}",
        f"LOGIN alice {secret}".encode() + b"\xff\xc0",
        f"LOGIN alice {secret}".encode() + b"\0",
        f"LOGIN alice {secret} {'x' * 9000}",
        f"AUTH {secret} n,,n=alice,r=abcdefgh",
        f"AUTH SCRAM-SHA-256 {secret}",
        f"AUTH SCRAM-SHA-256 n,,n={secret},r=abcdefgh",
        f"SIGNUP {secret} {secret}",
        f"SIGNUP alice {secret}",
        f"PASSWORD {secret}x{'y' * 300}",
        f"HELP {secret}",
        f"HELLO {secret}",
        f"HELLO 1 {secret}",
        f"PING {secret}",
        f"REQ_MSG_SERVER {secret}",
    ]
    lines += [
        f"{verb} {secret}" for verb in ("CREATE", "JOIN", "STATUS", "HISTORY", "ACK", "READ", "REVOKE", "PRIVACY")
    ]
    # An @id is repeated as it was: whoever puts a secret there asks for that.
    return [line for line in lines if not str(line).startswith("@id")]


class Terminals(RealCase):
    """What a peer sends acts on nobody's terminal."""

    async def test_controls(self) -> None:
        """Neither a client nor whoever else reaches Redis brings control characters into a log, or to another client.

        Characters that change the direction of writing stay in texts, as is promised; in logs they are escaped.
        """
        await self.begin()
        # A title, a colour, a question that the terminal answers, a new line of a log, the direction.
        nasty = "a\x1b]0;owned\x07b\x1b[31mc\x9b6nd\x08\x08e\x7f\x85 2026-01-01 [-] fake\x0bf" + _BIDI
        await self.user("add", "alice", env={"FISHCHAT_PASSWORD": PASSWORDS["alice"]})
        await self.user("add", "bob", env={"FISHCHAT_PASSWORD": PASSWORDS["bob"]})
        bob, _ = await connect_plain(self.place.msg_server + 1)
        alice = await connect_tls(self.server_tls)
        for client, name in ((bob, "bob"), (alice, "alice")):
            self.addCleanup(client.drop)
            await self.talk(client, f"LOGIN {name} {PASSWORDS[name]}")
        # What is taken out of a line, which keys and escape sequences refuse.
        mild = re.sub("[\x1b\x9b\x08\x7f]", "", nasty)
        before = ("MSG bob", "NAME", "CREATE", "HELP", "HELLO 1", "", "@id=x MSG bob")
        lines = [f"{verb} {text}" for text in (nasty, mild) for verb in before]
        for text in (nasty, mild):
            lines += [f"@id={text.replace(' ', '')} PING", f"@{text} PING", text, f"@esc MSG bob {text}\\n{text}"]
        await self.talk(alice, *lines)
        await self.talk(alice, "CREATE fishing", "INVITE fishing bob", f"SAY fishing {mild}", f"NAME {mild[:9]}")
        await until(lambda: sum(line.startswith(("RESP_M", "@esc RESP_M")) for line in bob.lines) >= 3)
        await self.talk(bob, "STATUS alice", "HISTORY alice+bob")
        self.assertGreater(len(self.lines), 20)
        self.assertEqual([line for line in self.lines if ACTED_ON.search(line)], [])
        for path in (f"/{nasty}", "/%1b%5b31m"):
            request = f"GET {path} HTTP/1.1\r\nHost: {nasty}\r\nUser-Agent: {nasty}\r\nConnection: close\r\n\r\n"
            for secure in (False, True):
                await self.web(request.encode(), secure)
        for channel in ("/msg_server/ms1", "/msg_server/ms2", "/sysctrl/monitor", "/sysctrl/client-status"):
            await self.redis(("PUBLISH", channel, nasty), ("PUBLISH", channel, f'{{"server": "{nasty}"}}'))
        # A server that nobody knows, and that is gone.
        await self.redis(("HSET", "servers", "ms9" + "".join(nasty.split()), "1"))
        logs = {name: self.data / f"{name}.log" for name in ("ms1", "manager")}
        await until(lambda: "not understood" in logs["ms1"].read_text("utf-8"))
        await until(lambda: "ms9" in logs["manager"].read_text("utf-8"))
        self.assertIn(r"\x1b[31m", logs["manager"].read_text("utf-8"))
        await self.up.stop(reactor)
        texts = {path.name: path.read_text("utf-8") for path in [*self.data.glob("*.log"), self.data / "output"]}
        self.assertGreaterEqual(len(texts), 8)
        # Redis writes its own, and is told nothing by peers but in packed arguments, which it does not log.
        self.assertEqual({name for name, text in texts.items() if _UNREADABLE.search(text)}, set())
        shown = b"".join(self.answers).decode("utf-8", "replace")
        self.assertEqual(_UNREADABLE.findall(shown), [])

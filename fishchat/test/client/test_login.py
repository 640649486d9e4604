"""How the client's machine logs in: by token, by SCRAM, by a secret as it is; and when a login is taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scramp import ScramException, ScramMechanism
from twisted.trial.unittest import SynchronousTestCase

from fishchat.client.events import Ended, Online, RefusedError, Settled
from fishchat.client.login import masked
from fishchat.client.machine import Machine
from fishchat.client.state import ClientState
from fishchat.features.accounts.client import change_password, set_name
from fishchat.test.client.test_machine import GREETING, Talk

PASSWORD = "correct horse"
OLD, NEW = "fct_" + "o" * 43, "fct_" + "n" * 43

CLOSED = GREETING.replace("auth=open", "auth=closed") + " sasl=SCRAM-SHA-256"
ENTER = f"""
    connect
    S {CLOSED}
    C HELLO 1 caps=ack
    S OK HELLO fishchat/1 caps=ack
"""
BY_TOKEN = f"""
    {ENTER}
    C @device=main SEND_CLIENT_ID alice {OLD}
    S OK SEND_CLIENT_ID alice
    event Online()
"""


class Entrance:
    """The server's side of logins by SCRAM of one machine, as ``scramp`` does it."""

    def __init__(self, case: SynchronousTestCase, machine: Machine, password: str = PASSWORD) -> None:
        self.case, self.machine = case, machine
        salt, stored, server, rounds = ScramMechanism().make_auth_info(password, iteration_count=4096)
        self.known = (salt, stored, server, rounds)

    def say(self, line: str) -> list[str]:
        """Say a line to the machine; what it says to that."""
        self.machine.received(line.encode(), 0.0)
        return self.lines()

    def lines(self) -> list[str]:
        return [line.decode() for line in self.machine.lines(0.0)]

    def open(self, greeting: str = CLOSED, binding: bytes | None = None) -> str:
        """A new connection, up to the first line of the login, which comes back."""
        self.machine.connected(0.0)
        if binding is not None:
            self.machine.secured(binding)
        self.case.assertEqual(self.say(greeting), ["HELLO 1 caps=ack"])
        (line,) = self.say("OK HELLO fishchat/1 caps=ack")
        return line

    def prove(self, first: str, binding: bytes | None = None) -> str:
        """Take the first line of a login by SCRAM and the proof that follows; the server's last message."""
        tag, verb, mechanism, message = first.split(" ", 3)
        self.case.assertEqual((tag, verb), ("@device=main", "SEND_AUTH"))
        channel = None if binding is None else ("tls-server-end-point", binding)
        server: Any = ScramMechanism(mechanism).make_server(lambda _: self.known, channel_binding=channel)
        server.set_client_first(message)
        (proof,) = self.say("OK SEND_AUTH " + server.get_server_first())
        verb, repeated, message = proof.split(" ")
        self.case.assertEqual((verb, repeated), ("SEND_AUTH", mechanism))
        server.set_client_final(message)
        last: str = server.get_server_final()
        return last


class LoginCase(SynchronousTestCase):
    def machine(self, token: str | None = OLD, **options: Any) -> Machine:
        return Machine("alice", state=ClientState("alice", token=token), **options)

    def play(self, transcript: str, token: str | None = OLD, **options: Any) -> Machine:
        machine = self.machine(token, **options)
        Talk(self, machine).play(transcript)
        return machine

    def token(self, machine: Machine) -> str | None:
        return machine.snapshot().token


class ScramTests(LoginCase):
    """Without a token, by a password."""

    def setUp(self) -> None:
        self.client = self.machine(None, secret=PASSWORD)
        self.server = Entrance(self, self.client)

    def ends(self) -> list[str]:
        """The reasons for which the machine said that it is through."""
        return [event.reason for event in self.client.events() if isinstance(event, Ended)]

    def test_login(self) -> None:
        """The password is proved, not said; the token that comes back is to be remembered before anything is sent."""
        last = self.server.prove(self.server.open())
        self.assertFalse(self.client.changed)
        self.server.say(f"OK SEND_AUTH {last} token={NEW}")
        self.assertEqual(self.client.events(), [Online()])
        self.assertTrue(self.client.changed)
        self.assertEqual(self.token(self.client), NEW)
        self.client.saved()
        self.assertFalse(self.client.changed)

    def test_next_time(self) -> None:
        """The next connection is logged in by the token."""
        self.server.say(f"OK SEND_AUTH {self.server.prove(self.server.open())} token={NEW}")
        self.client.lost()
        self.assertEqual(self.server.open(), f"@device=main SEND_CLIENT_ID alice {NEW}")

    def test_plus(self) -> None:
        """With TLS the proof is tied to the server's certificate."""
        greeting = f"{CLOSED},SCRAM-SHA-256-PLUS"
        first = self.server.open(greeting, b"a certificate")
        self.assertIn("SCRAM-SHA-256-PLUS p=tls-server-end-point,,n=alice,r=", first)
        self.server.say("OK SEND_AUTH " + self.server.prove(first, b"a certificate"))
        self.assertEqual(self.client.events(), [Online()])

    def test_another_certificate(self) -> None:
        """A man in the middle with another certificate cannot pass the proof on."""
        first = self.server.open(f"{CLOSED},SCRAM-SHA-256-PLUS", b"a certificate")
        self.assertRaises(ScramException, self.server.prove, first, b"another one")

    def test_downgrade(self) -> None:
        """A list without PLUS over TLS: a server that did offer it finds out."""
        first = self.server.open(CLOSED, b"a certificate")
        self.assertIn("SEND_AUTH SCRAM-SHA-256 y,,n=alice,r=", first)
        self.assertRaises(ScramException, self.server.prove, first, b"a certificate")

    def test_binding_of_the_connection(self) -> None:
        """What one connection was tied to does not count on the next one."""
        self.server.open(f"{CLOSED},SCRAM-SHA-256-PLUS", b"a certificate")
        self.client.lost()
        self.assertIn("SEND_AUTH SCRAM-SHA-256 n,,n=alice,r=", self.server.open())

    def test_wrong_signature(self) -> None:
        """A server that does not know the password is not logged in to, and its token not taken."""
        self.server.prove(self.server.open())
        other = Entrance(self, self.machine(None, secret="another one"), "another one")
        last = other.prove(other.open())
        self.server.say(f"OK SEND_AUTH {last} token={NEW}")
        (ended,) = self.client.events()
        error = RefusedError("AUTH", "the server does not prove that it knows the password")
        self.assertEqual(repr(ended), repr(Ended("refused", error)))
        self.assertIsNone(self.token(self.client))

    def test_no_signature(self) -> None:
        """An OK without a signature is none."""
        self.server.prove(self.server.open())
        self.server.say(f"OK SEND_AUTH token={NEW}")
        self.assertEqual(self.ends(), ["refused"])

    def test_rounds(self) -> None:
        """A server that asks for endless computing is refused."""
        nonce = self.server.open().rpartition("=")[2]
        self.assertEqual(self.server.say(f"OK SEND_AUTH r={nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=5000001"), [])
        self.assertEqual(self.ends(), ["refused"])

    def test_wrong_password(self) -> None:
        """The server refuses the proof: that is the end."""
        self.server.prove(self.server.open())
        self.server.say("ERR SEND_AUTH AUTH the login was refused")
        (ended,) = self.client.events()
        self.assertEqual(repr(ended), repr(Ended("refused", RefusedError("AUTH", "the login was refused"))))

    def test_too_many(self) -> None:
        """A server that has no time for the hash now is asked again from the beginning, with another nonce."""
        first = self.server.open()
        self.server.say("ERR SEND_AUTH TRYAGAIN retry=1 too many wait")
        self.client.tick(1.0)
        (second,) = self.server.lines()
        self.assertNotEqual(first, second)
        self.server.say("OK SEND_AUTH " + self.server.prove(second))
        self.assertEqual(self.client.events(), [Online()])

    def test_unknown_mechanisms(self) -> None:
        """The password is not said to a server that offers only what is not known here."""
        self.client.connected(0.0)
        self.server.say(CLOSED.replace("SCRAM-SHA-256", "PLAIN"))
        self.assertEqual(self.server.say("OK HELLO fishchat/1 caps=ack"), [])
        self.assertEqual(self.ends(), ["refused"])

    def test_token_refused(self) -> None:
        """A token that is not taken any more is forgotten, and the password proved on the same connection."""
        client = self.machine(OLD, secret=PASSWORD)
        server = Entrance(self, client)
        self.assertEqual(server.open(), f"@device=main SEND_CLIENT_ID alice {OLD}")
        (first,) = server.say("ERR SEND_CLIENT_ID AUTH the login was refused")
        self.assertIsNone(self.token(client))
        self.assertTrue(client.changed)
        server.say(f"OK SEND_AUTH {server.prove(first)} token={NEW}")
        self.assertEqual((client.events(), self.token(client)), ([Online()], NEW))

    def test_new_password(self) -> None:
        """After a change the new password is the one to log in by."""
        self.server.say(f"OK SEND_AUTH {self.server.prove(self.server.open())} token={NEW}")
        key = self.client.change_password("battery staple")
        self.assertEqual(self.server.lines(), ["SEND_PASSWORD battery staple"])
        self.server.say("OK SEND_PASSWORD")
        self.assertEqual(self.client.events(), [Online(), Settled(key, None)])
        self.server.say("RESP_REVOKED password")
        self.client.lost()
        other = Entrance(self, self.client, "battery staple")
        other.prove(other.open())


#: name → transcript, token, secret
TRANSCRIPTS: dict[str, tuple[str, str | None, str | None]] = {
    "a remembered token is said, and stays": (BY_TOKEN, OLD, None),
    "a token comes before a password": (BY_TOKEN, OLD, PASSWORD),
    "a token in the secret's place is said as it is": (BY_TOKEN, None, OLD),
    "a token in the secret's place comes before a remembered one": (BY_TOKEN, NEW, OLD),
    "in mode open the secret is said as it is": (
        f"""
        connect
        S {GREETING}
        C HELLO 1 caps=ack
        S OK HELLO fishchat/1 caps=ack
        C @device=main SEND_CLIENT_ID alice {PASSWORD}
        S OK SEND_CLIENT_ID alice
        event Online()
        """,
        None,
        PASSWORD,
    ),
    "a server that takes passwords as they are gives a token as well": (
        f"""
        connect
        S {GREETING}
        C HELLO 1 caps=ack
        S OK HELLO fishchat/1 caps=ack
        C @device=main SEND_CLIENT_ID alice {PASSWORD}
        S OK SEND_CLIENT_ID alice token={OLD}
        event Online()
        lost
        {BY_TOKEN}
        """,
        None,
        PASSWORD,
    ),
    "a token that is refused ends it when there is no password, and is kept": (
        f"""
        {ENTER}
        C @device=main SEND_CLIENT_ID alice {OLD}
        S ERR SEND_CLIENT_ID AUTH the login was refused
        event Ended('refused', RefusedError('AUTH', 'the login was refused'))
        """,
        OLD,
        None,
    ),
    "too many guesses are waited for": (
        f"""
        {ENTER}
        C @device=main SEND_CLIENT_ID alice {OLD}
        S ERR SEND_CLIENT_ID FLOOD retry=30 too many guesses
        at 30
        C @device=main SEND_CLIENT_ID alice {OLD}
        """,
        OLD,
        None,
    ),
    "a login that is taken back ends it when there is no password": (
        BY_TOKEN + "S RESP_REVOKED revoked\nevent Ended('revoked', None, 'revoked')",
        OLD,
        None,
    ),
    "an account that is disabled ends it, password or not": (
        BY_TOKEN + "S RESP_REVOKED disabled\nevent Ended('revoked', None, 'disabled')",
        OLD,
        PASSWORD,
    ),
    "an account that is deleted ends it, password or not": (
        BY_TOKEN + "S RESP_REVOKED deleted\nevent Ended('revoked', None, 'deleted')",
        OLD,
        PASSWORD,
    ),
    "a token in the secret's place is no password": (
        BY_TOKEN + "S RESP_REVOKED password\nevent Ended('revoked', None, 'password')",
        None,
        OLD,
    ),
    "a token does not show in what is told of a bad line": (
        f"""
        {ENTER}
        C @device=main SEND_CLIENT_ID alice {OLD}
        S OK SEND_NOTHING {NEW} token={NEW}
        event Broken("a line that is no part of the protocol (a reply to no command): b'OK SEND_NOTHING … token=…'")
        """,
        OLD,
        None,
    ),
    "something else in a token's place breaks the connection": (
        f"""
        {ENTER}
        C @device=main SEND_CLIENT_ID alice {OLD}
        S OK SEND_CLIENT_ID alice token=nonsense
        event Broken("a line that is no part of the protocol (what should be a token is none):\
 b'OK SEND_CLIENT_ID alice token=…'")
        """,
        OLD,
        None,
    ),
    "devices and relations": (
        BY_TOKEN
        + """
        ask devices
        C REQ_DEVICES
        S BEGIN REQ_DEVICES 2
        S ITEM main online 1500 2000
        S ITEM phone offline 0 0
        S END REQ_DEVICES
        event Settled(1, [Device('main', True, 1.5, 2.0), Device('phone', False, 0.0, 0.0)])
        ask revoke_device phone
        C REVOKE_DEVICE phone
        S OK REVOKE_DEVICE phone
        event Settled(2, None)
        ask block bob
        C BLOCK_CLIENT bob
        S OK BLOCK_CLIENT bob
        event Settled(3, None)
        ask blocked
        C REQ_BLOCKED
        S BEGIN REQ_BLOCKED 1
        S ITEM bob
        S END REQ_BLOCKED
        event Settled(4, ['bob'])
        ask unblock bob
        C UNBLOCK_CLIENT bob
        S OK UNBLOCK_CLIENT bob
        event Settled(5, None)
        ask add_contact bob
        C ADD_CONTACT bob
        S OK ADD_CONTACT bob
        event Settled(6, None)
        ask contacts
        C REQ_CONTACTS
        S BEGIN REQ_CONTACTS 1
        S ITEM bob Bob the Builder
        S END REQ_CONTACTS
        event Settled(7, ['bob'])
        ask remove_contact bob
        C REMOVE_CONTACT bob
        S OK REMOVE_CONTACT bob
        event Settled(8, None)
        ask set_privacy contacts
        C SEND_PRIVACY contacts
        S OK SEND_PRIVACY contacts
        event Settled(9, None)
        ask set_name Älice
        C SEND_NAME Älice
        S OK SEND_NAME
        event Settled(10, None)
        ask status bob
        C REQ_CLIENT_STATUS bob
        S OK REQ_CLIENT_STATUS bob online 1500 Bob  the Builder
        event Settled(11, Status('bob', True, 1.5, 'Bob  the Builder'))
        """,
        OLD,
        None,
    ),
}


class TranscriptTests(LoginCase):
    """Every transcript of the table, and what needs more."""

    def test_revoked_with_a_password(self) -> None:
        """A token that is taken back is forgotten, and the next connection logged in by the password."""
        for why in ("revoked", "password"):
            client = self.play(
                BY_TOKEN + f"S RESP_REVOKED {why}\nevent Broken('the server took the login back: {why}')",
                OLD,
                secret=PASSWORD,
            )
            self.assertTrue(client.changed)
            self.assertIsNone(self.token(client))
            client.lost()
            self.assertIn(" SEND_AUTH SCRAM-SHA-256 n,,n=alice,r=", Entrance(self, client).open())

    def test_kept(self) -> None:
        """A token without a password stays in the state, refused or taken back: an account may be enabled again."""
        for end in ("S RESP_REVOKED disabled\nevent Ended('revoked', None, 'disabled')", "lost"):
            self.assertEqual(self.token(self.play(BY_TOKEN + end)), OLD)

    def test_given_is_not_remembered(self) -> None:
        """A token that is given as the secret stays the program's own business."""
        self.assertIsNone(self.token(self.play(BY_TOKEN, None, secret=OLD)))


def _transcript_test(transcript: str, token: str | None, secret: str | None) -> Callable[[TranscriptTests], None]:
    def test(self: TranscriptTests) -> None:
        self.play(transcript, token, secret=secret)

    return test


for _name, _parts in TRANSCRIPTS.items():
    _test = _transcript_test(*_parts)
    _test.__doc__ = _name
    setattr(TranscriptTests, "test_" + re.sub(r"\W+", "_", _name), _test)


class SilenceTests(LoginCase):
    """Nothing secret shows."""

    def test_reprs(self) -> None:
        """Neither token nor password nor text is in any repr."""
        client = self.play(BY_TOKEN, OLD, secret=PASSWORD)
        client.send("bob", "between us")
        key = client.change_password("battery staple")
        state = client.snapshot()
        request = change_password("battery staple")
        for thing in (client, state, state.__rich_repr__(), request, vars(client), vars(vars(client)["_outbox"]), key):
            for secret in (OLD, PASSWORD, "battery staple"):
                self.assertNotIn(secret, repr(thing))
        self.assertNotIn("between us", repr(state))

    def test_masked(self) -> None:
        """A token is taken out wherever it stands."""
        for text, shown in (
            (f"b'OK SEND_AUTH v=x token={NEW}'", "b'OK SEND_AUTH v=x token=…'"),
            (f"SEND_CLIENT_ID alice {OLD}, {NEW}", "SEND_CLIENT_ID alice … …"),
            ("b'token=fct_cut", "b'token=…"),
            ("nothing to hide: fct", "nothing to hide: fct"),
        ):
            self.assertEqual(masked(text), shown)

    def test_no_line(self) -> None:
        """What no line can hold is refused before it is sent, and not quoted."""
        for wrong in ("", "battery\r\nstaple", "battery\0staple"):
            error = self.assertRaises(RefusedError, change_password, wrong)
            self.assertEqual(error.word, "PASSWORD")
            self.assertNotIn("staple", str(error))
            self.assertEqual(self.assertRaises(RefusedError, set_name, wrong).word, "BADNAME")

"""Vectors of logins and of the ends of connections: short talks of the machine with a server.

Steps are as in ``vectors``. ``web/test/logins.test.ts`` replays them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from unittest import mock

from scramp import ScramMechanism

from fishchat.client import scram
from fishchat.client.state import ClientState
from fishchat.features.session.client import ping
from fishchat.test.client.shown import ACCOUNT, DEVICE, new_machine, shown_event

NONCE, SALT = "0123456789abcdef0123456789abcdef", b"sixteen bytes 16"
PASSWORD = "correct horse"
SAVED, GIVEN, NEW = ("fct_" + letter * 43 for letter in "sgn")
OPEN = "HELLO fishchat/1 server=ms1 auth=open sasl="
CLOSED = "HELLO fishchat/1 server=ms1 auth=closed sasl=SCRAM-SHA-256,SCRAM-SHA-256-PLUS"
HELLO = "OK HELLO fishchat/1 caps=ack,lazy,ops"
#: Passwords that SASLprep changes, and some that it does not.
PREPARED = (
    *("pencil", " two  blanks ", "密码\u3000密码", "a\xa0b\u2003c\u1680d", "so\xadft", "zero\u200bwidth\u200d\ufeff!"),
    *(
        "\ufb01sh",
        "e\u0301",
        "\xe9",
        "\xaa",
        "\u2168",
        "\u180bx\ufe0f",
        "\u2060x",
        "x\u034fy\u1806",
        "\uff50\uff57",
        "100\u2103",
    ),
)


class Talk:
    """A machine and what was put into it, step by step."""

    def __init__(self, name: str, secret: str | None = None, token: str | None = None) -> None:
        state = ClientState(ACCOUNT, DEVICE, token=token)
        self.machine = new_machine(secret=secret, state=state)
        self.made: dict[str, Any] = {"name": name, "secret": secret, "token": token, "steps": []}
        self.now = 0.0
        self.sent: list[str] = []

    def do(self, what: str, lines: list[str] | None = None) -> list[str]:
        """Do one thing and return the lines that the machine sends."""
        machine, now = self.machine, self.now
        if what == "lines":
            for line in lines or []:
                machine.received(line.encode(), now)
        elif what == "ping":
            machine.ask(ping())
        elif what in ("connected", "tick"):
            getattr(machine, what)(now)
        else:
            getattr(machine, what)()
        events = [shown_event(event) for event in machine.events()]
        self.sent = [line.decode() for line in machine.lines(now)]
        state = json.loads(machine.snapshot().to_json()) if machine.changed else None
        machine.saved()
        step = {"now": now, "do": [what, lines] if what == "lines" else [what], "events": events, "lines": self.sent}
        after = {"state": state, "deadline": machine.deadline(now), "phase": machine.phase.name.lower()}
        self.made["steps"].append({**step, **after, "drained": machine.drained})
        return self.sent

    def say(self, *lines: str) -> list[str]:
        """Say lines of the server and return those of the machine."""
        return self.do("lines", list(lines))

    def wait(self, seconds: float) -> list[str]:
        """Let time pass."""
        self.now += seconds
        return self.do("tick")

    def enter(self, greeting: str = CLOSED) -> list[str]:
        """Connect up to the first line of the login."""
        self.do("connected")
        self.say(greeting)
        return self.say(HELLO)

    def online(self) -> Talk:
        """Log in where no secret is needed."""
        self.enter(OPEN)
        self.say("OK SEND_CLIENT_ID alice", "RESP_SYNCED")
        return self

    def prove(self, password: str, more: str = "") -> None:
        """Answer a login by SCRAM as a server does that knows this password."""
        server: Any = ScramMechanism().make_server(lambda _: _known(password), s_nonce="server")
        server.set_client_first(self.sent[0].split(" ", 3)[3])
        [proof] = self.say(f"OK SEND_AUTH {server.get_server_first()}")
        server.set_client_final(proof.split(" ", 2)[2])
        self.say(f"OK SEND_AUTH {server.get_server_final()}{more}")


def _known(password: str) -> Any:
    return ScramMechanism().make_auth_info(password, iteration_count=4096, salt=SALT)


def vectors() -> list[dict[str, Any]]:
    """Return all talks: the secret and the token that a machine has, and its steps."""
    with mock.patch.object(scram, "token_hex", lambda _: NONCE):
        return [talk.made for talks in (_by_token(), _by_password(), _refused(), _ends(), _silence()) for talk in talks]


def _by_token() -> Iterator[Talk]:
    talk = Talk("the saved token", token=SAVED)
    talk.enter()
    talk.say("OK SEND_CLIENT_ID alice")
    yield talk
    talk = Talk("a given token goes before the saved one", GIVEN, SAVED)
    talk.enter()
    talk.say(f"OK SEND_CLIENT_ID alice token={NEW} more=x")
    talk.do("lost")
    talk.enter()
    yield talk
    talk = Talk("a refused token without a password", token=SAVED)
    talk.enter()
    talk.say("ERR SEND_CLIENT_ID AUTH no")
    yield talk
    talk = Talk("what should be a token is none", token=SAVED)
    talk.enter()
    talk.say("OK SEND_CLIENT_ID alice token=fct_a/b")
    yield talk


def _by_password() -> Iterator[Talk]:
    for password in PREPARED:
        talk = Talk(f"the password {password!a}", password)
        talk.enter()
        talk.prove(password)
        yield talk
    talk = Talk("a refused token, then the password; then the login is revoked", PASSWORD, SAVED)
    talk.enter()
    talk.say("ERR SEND_CLIENT_ID AUTH no")
    talk.prove(PASSWORD, f" token={NEW}")
    talk.say("RESP_REVOKED password")
    talk.do("lost")
    talk.enter()
    yield talk
    talk = Talk("no secret is needed", PASSWORD)
    talk.enter(OPEN)
    talk.say("OK SEND_CLIENT_ID alice")
    yield talk
    talk = Talk("no mechanism is known", PASSWORD)
    talk.enter("HELLO fishchat/1 sasl=PLAIN,SCRAM-SHA-512")
    yield talk
    first = f"r={NONCE}server,s={b64encode(SALT).decode()},i=4096"
    wrong = ("", "x", first.replace("4096", "1"), first.replace("4096", "9999999"), first.replace("server", ""))
    for challenge in (*wrong, "m=x," + first, first.replace("r=0", "r=1"), first.replace("s=c2l4", "s=c2l")):
        talk = Talk(f"the challenge {challenge}", PASSWORD)
        talk.enter()
        talk.say(f"OK SEND_AUTH {challenge}")
        yield talk
    for signature in ("v=AAAA", "", "e=other-error", f"token={NEW}"):
        talk = Talk(f"the signature {signature}", PASSWORD)
        talk.enter()
        talk.say(f"OK SEND_AUTH {first}")
        talk.say(f"OK SEND_AUTH {signature}")
        yield talk
    talk = Talk("the proof is refused", PASSWORD)
    talk.enter()
    talk.say(f"OK SEND_AUTH {first}")
    talk.say("ERR SEND_AUTH AUTH no")
    yield talk


def _refused() -> Iterator[Talk]:
    talk = Talk("no acknowledgements")
    talk.do("connected")
    talk.say(OPEN)
    talk.say("OK HELLO fishchat/1 caps=lazy")
    yield talk
    for error in (
        *(
            "TRYAGAIN retry=2 later",
            "TRYAGAIN later",
            "UNKNOWN no answer",
            "UNKNOWN retry=1 no answer",
            "FLOOD retry=3 x",
        ),
        *(
            "BUSY limit=1 retry=5 full",
            "INTERNAL x",
            "STATE x",
            "DISABLED x",
            "DEVICES limit=10 x",
            "NEW-WORD x",
            "",
            "x",
        ),
        *("FLOOD retry=nan x", "FLOOD retry=inf x", "FLOOD retry=-1 x", "FLOOD retry= x", "FLOOD retry=1.5 x"),
        *("FLOOD retry=1e3 x", "FLOOD retry=9999 x", "FLOOD  retry=2 x", "FLOOD a=b retry=2", "FLOOD x retry=2"),
    ):
        talk = Talk(f"the refusal {error}", token=SAVED)
        talk.enter()
        talk.say(f"ERR SEND_CLIENT_ID {error}")
        talk.wait(1.0)
        talk.wait(59.5)
        yield talk


def _ends() -> Iterator[Talk]:
    message = "RESP_MESSAGE_P2P bob alice+bob:7-1 hello"
    for last in ("RESP_REPLACED", "RESP_REVOKED disabled", "RESP_REVOKED password", "RESP_BYE stop The server stops."):
        talk = Talk(f"the last line {last}").online()
        talk.say(last, message)
        talk.do("lost")
        yield talk
    talk = Talk("closed with acknowledgements").online()
    talk.say(message)
    talk.do("ping")
    talk.do("close")
    talk.say("OK SEND_PING", "RESP_MESSAGE_P2P bob alice+bob:7-2 too late")
    talk.say("OK QUIT")
    talk.do("lost")
    yield talk
    talk = Talk("closed, then lost").online()
    talk.do("close")
    talk.do("lost")
    yield talk
    talk = Talk("closed before a connection")
    talk.do("close")
    talk.do("close")
    yield talk
    talk = Talk("drained").online()
    talk.do("ping")
    talk.say(message)
    talk.do("drain")
    talk.do("ping")
    talk.say("OK SEND_PING")
    talk.do("lost")
    talk.online()
    yield talk
    for error in ("UNKNOWN_VERB x", "TOOLONG x", "FLOOD x", "MALFORMED x"):
        talk = Talk(f"the answer {error}").online()
        talk.do("ping")
        talk.say(f"ERR - {error}")
        yield talk


def _silence() -> Iterator[Talk]:
    talk = Talk("no greeting")
    talk.do("connected")
    talk.wait(9.9)
    talk.wait(0.1)
    yield talk
    talk = Talk("silence, a ping, an answer; then none").online()
    talk.wait(29.9)
    talk.wait(0.1)
    talk.say("OK SEND_PING")
    talk.wait(30.0)
    talk.wait(9.9)
    talk.wait(0.1)
    yield talk
    talk = Talk("a command without an answer").online()
    talk.do("ping")
    talk.wait(5.0)
    talk.say("RESP_PING")
    talk.wait(9.9)
    talk.wait(0.1)
    yield talk

"""The client's machine, conversation by conversation."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from fishchat.client import events as said
from fishchat.client.events import Broken, HistoryItem, RefusedError, Settled
from fishchat.client.machine import Machine
from fishchat.client.state import ClientState
from fishchat.features.messages import client as messages
from fishchat.features.operations import client as operations
from fishchat.features.registry import FEATURES, part

GREETING = "HELLO fishchat/1 server=ms1 auth=open maxline=8192 maxtext=7168 caps=ack"

LOGIN = f"""
    connect
    S {GREETING}
    C HELLO 1 caps=ack
    S OK HELLO fishchat/1 caps=ack
    C @device=main SEND_CLIENT_ID alice
    S OK SEND_CLIENT_ID alice
    event Online()
    S RESP_SYNCED
    event Synced()
"""

#: Logged in, and one message to bob is stored: the counter is known.
WARM = (
    LOGIN
    + """
    send bob zero
    C @cseq=0 SEND_MESSAGE_P2P bob zero
    S ERR SEND_MESSAGE_P2P GAP expected=5 an earlier number is missing
    C @cseq=5 SEND_MESSAGE_P2P bob zero
    S OK SEND_MESSAGE_P2P alice+bob:7-40
    event Settled(1, 'alice+bob:7-40')
"""
)


#: Logged in with the capability of operations, and with nothing known.
OPERATIONS = LOGIN.replace("caps=ack", "caps=ack,ops")


def request_of(name: str) -> Any:
    """The function of some feature that makes this request."""
    found = [getattr(part(feature, "client"), name, None) for feature in FEATURES]
    return next(one for one in found if one is not None)


class Talk:
    """Plays a transcript with a machine: whatever it sends or says must be the next thing in the transcript.

    ``S line`` and ``C line`` are the two sides, ``event X`` what the user is told, ``at t`` sets the clock;
    ``connect``, ``lost``, ``close``, ``drain``, ``send to text``, ``ask name fields`` and ``finish id`` are done.
    """

    def __init__(self, case: SynchronousTestCase, machine: Machine) -> None:
        self.case, self.machine, self.now = case, machine, 0.0
        self.lines: list[str] = []
        self.events: list[Any] = []

    def play(self, transcript: str) -> None:
        for step in filter(None, (line.strip() for line in transcript.splitlines())):
            what, _, rest = step.partition(" ")
            if what == "C":
                self.case.assertEqual(self.lines[:1], [rest], f"to be sent; told: {self.events}")
                del self.lines[0]
            elif what == "event":
                told = self.events.pop(0) if self.events else None
                self.case.assertEqual(repr(told), repr(eval(rest, vars(said))))
            else:
                self.quiet(step)
                getattr(self, "do_" + what)(rest)
                self.machine.tick(self.now)
                self.events += self.machine.events()
                self.lines += [line.decode() for line in self.machine.lines(self.now)]
        self.quiet("the end")

    def quiet(self, step: str) -> None:
        self.case.assertEqual((self.lines, self.events), ([], []), f"left over before: {step}")

    def do_S(self, rest: str) -> None:
        self.machine.received(rest.encode(), self.now)

    def do_at(self, rest: str) -> None:
        self.now = float(rest)

    def do_connect(self, rest: str) -> None:
        self.machine.connected(self.now)

    def do_lost(self, rest: str) -> None:
        self.machine.lost()

    def do_close(self, rest: str) -> None:
        self.machine.close()

    def do_drain(self, rest: str) -> None:
        self.machine.drain()

    def do_send(self, rest: str) -> None:
        to, _, text = rest.partition(" ")
        self.machine.send(to, text.replace("⏎", "\n"))

    def do_ask(self, rest: str) -> None:
        verb, *fields = rest.split(" ")
        self.machine.ask(request_of(verb)(*fields))

    def do_operate(self, rest: str) -> None:
        kind, message, *words = rest.split(" ", 2)
        self.machine.operate(getattr(operations, kind)(message, *[word.replace("⏎", "\n") for word in words]))

    def do_finish(self, rest: str) -> None:
        self.machine.finish(rest, self.now)


#: name → transcript
TRANSCRIPTS = {
    "login": LOGIN,
    "a counter that is not known is asked for": WARM,
    "sends are pipelined once one was accepted": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        send bob two
        C @cseq=7 SEND_MESSAGE_P2P bob two
        S OK SEND_MESSAGE_P2P alice+bob:7-41
        event Settled(2, 'alice+bob:7-41')
        S OK SEND_MESSAGE_P2P alice+bob:7-42
        event Settled(3, 'alice+bob:7-42')
    """,
    "operations are numbered and in order with the messages": WARM
    + r"""
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        operate edit alice+bob:7-40 two⏎lines
        C @cseq=7;esc SEND_EDIT alice+bob:7-40 two\nlines
        operate react alice+bob:7-40 +1
        C @cseq=8 SEND_REACTION alice+bob:7-40 +1
        operate recall alice+bob:7-40
        C @cseq=9 SEND_RECALL alice+bob:7-40
        S OK SEND_MESSAGE_P2P alice+bob:7-41
        event Settled(2, 'alice+bob:7-41')
        S OK SEND_EDIT alice+bob:7-42
        event Settled(3, 'alice+bob:7-42')
        S OK SEND_REACTION alice+bob:7-43
        event Settled(4, 'alice+bob:7-43')
        S OK SEND_RECALL alice+bob:7-44
        event Settled(5, 'alice+bob:7-44')
    """,
    "an operation of unknown outcome is sent again under its number": WARM
    + """
        operate pin alice+bob:7-40
        C @cseq=6 SEND_PIN alice+bob:7-40
        send bob one
        C @cseq=7 SEND_MESSAGE_P2P bob one
        lost
    """
    + LOGIN.replace("S RESP_SYNCED", "C @cseq=6 SEND_PIN alice+bob:7-40\nS RESP_SYNCED")
    + """
        S OK SEND_PIN alice+bob:7-41
        event Settled(2, 'alice+bob:7-41')
        C @cseq=7 SEND_MESSAGE_P2P bob one
        S OK SEND_MESSAGE_P2P alice+bob:7-42
        event Settled(3, 'alice+bob:7-42')
    """,
    "an operation that is too old to be found is done": WARM
    + """
        operate edit alice+bob:7-40 x
        C @cseq=6 SEND_EDIT alice+bob:7-40 x
        lost
    """
    + LOGIN.replace("S RESP_SYNCED", "C @cseq=6 SEND_EDIT alice+bob:7-40 x\nS RESP_SYNCED")
    + """
        S ERR SEND_EDIT OLD it was stored before, but it is too old to find
        event Settled(2, '')
    """,
    "a refused operation uses up no number": WARM
    + """
        operate edit alice+bob:7-39 x
        C @cseq=6 SEND_EDIT alice+bob:7-39 x
        S ERR SEND_EDIT RIGHTS needs=author no
        event Settled(2, RefusedError('RIGHTS', 'no', {'needs': 'author'}))
        operate unreact alice+bob:7-40 +1
        C @cseq=6 REMOVE_REACTION alice+bob:7-40 +1
        S OK REMOVE_REACTION alice+bob:7-41
        event Settled(3, 'alice+bob:7-41')
    """,
    "the id of an operation may be another device's, which is received all the same": OPERATIONS
    + """
        operate recall #a:7-2
        C @cseq=0 SEND_RECALL #a:7-2
        S ERR SEND_RECALL GAP expected=1 an earlier number is missing
        C @cseq=1 SEND_RECALL #a:7-2
        S OK SEND_RECALL #a:7-3
        event Settled(1, '#a:7-3')
        S RESP_RECALL bob #a:7-3 #a:7-2 spam
        event Recalled('bob', 'spam', '#a:7-3', '#a:7-2', '#a')
        at 1
        C SEND_ACK #a:7-3
    """,
    "operations are received in order, once, and acknowledged": OPERATIONS
    + """
        S @mention=bob RESP_MESSAGE_TOPIC a bob #a:7-1 hi
        event Message('bob', 'hi', '#a:7-1', '#a', 'a', mention=('bob',))
        S @esc;mention=bob,carol RESP_EDIT bob #a:7-2 #a:7-1 two\\nlines
        event Edited('bob', 'two\\nlines', '#a:7-2', '#a:7-1', '#a', ('bob', 'carol'))
        S RESP_REACTION carol #a:7-3 #a:7-1 + +1
        event Reacted('carol', '+1', True, '#a:7-3', '#a:7-1', '#a')
        S RESP_REACTION carol #a:7-4 #a:7-1 - +1
        event Reacted('carol', '+1', False, '#a:7-4', '#a:7-1', '#a')
        S RESP_PIN carol #a:7-5 #a:7-1 +
        event Pinned('carol', True, '#a:7-5', '#a:7-1', '#a')
        S RESP_PIN carol #a:7-6 #a:7-1 -
        event Pinned('carol', False, '#a:7-6', '#a:7-1', '#a')
        S RESP_RECALL bob #a:7-7 #a:7-1
        event Recalled('bob', '', '#a:7-7', '#a:7-1', '#a')
        S RESP_PIN carol #a:7-6 #a:7-1 -
        S RESP_EDIT bob #a:7-2 #a:7-1 again
        at 1
        C SEND_ACK #a:7-7
    """,
    "line ends are escaped, and a backslash only with them": WARM
    + r"""
        send bob C:\new
        C @cseq=6 SEND_MESSAGE_P2P bob C:\new
        send bob C:\new⏎line
        C @cseq=7;esc SEND_MESSAGE_P2P bob C:\\new\nline
    """,
    "topics have lanes of their own": WARM
    + """
        send #fishing hi
        C @cseq=0 SEND_MESSAGE_TOPIC fishing hi
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_TOPIC GAP expected=1 go on
        C @cseq=1 SEND_MESSAGE_TOPIC fishing hi
        S OK SEND_MESSAGE_P2P alice+bob:7-41
        event Settled(3, 'alice+bob:7-41')
        S OK SEND_MESSAGE_TOPIC #fishing:7-1
        event Settled(2, '#fishing:7-1')
    """,
    "what had no answer goes again under its number, in order, the first of them alone": WARM
    + f"""
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        send bob two
        C @cseq=7 SEND_MESSAGE_P2P bob two
        lost
        connect
        S {GREETING}
        C HELLO 1 caps=ack
        S OK HELLO fishchat/1 caps=ack
        C @device=main SEND_CLIENT_ID alice
        S OK SEND_CLIENT_ID alice
        event Online()
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S OK SEND_MESSAGE_P2P alice+bob:7-41
        event Settled(2, 'alice+bob:7-41')
        C @cseq=7 SEND_MESSAGE_P2P bob two
    """,
    "TRYAGAIN: the same number after the time named; what came behind it follows": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        send bob two
        C @cseq=7 SEND_MESSAGE_P2P bob two
        S ERR SEND_MESSAGE_P2P TRYAGAIN retry=2 the store is away
        S ERR SEND_MESSAGE_P2P GAP expected=6 an earlier one is missing
        at 1.9
        at 2.0
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S OK SEND_MESSAGE_P2P alice+bob:7-41
        event Settled(2, 'alice+bob:7-41')
        C @cseq=7 SEND_MESSAGE_P2P bob two
    """,
    "UNKNOWN: the same number again, though the later one is stored": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        send bob two
        C @cseq=7 SEND_MESSAGE_P2P bob two
        S ERR SEND_MESSAGE_P2P UNKNOWN retry=1 the store did not answer
        S OK SEND_MESSAGE_P2P alice+bob:7-42
        event Settled(3, 'alice+bob:7-42')
        at 1
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S OK SEND_MESSAGE_P2P alice+bob:7-41
        event Settled(2, 'alice+bob:7-41')
        send bob three
        C @cseq=8 SEND_MESSAGE_P2P bob three
    """,
    "a refused number is not used up: the next message takes it": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        send bob two
        C @cseq=7 SEND_MESSAGE_P2P bob two
        S ERR SEND_MESSAGE_P2P TEXTTOOLONG limit=7168 the text is too long
        event Settled(2, RefusedError('TEXTTOOLONG', 'the text is too long'))
        S ERR SEND_MESSAGE_P2P GAP expected=6 an earlier one is missing
        C @cseq=6 SEND_MESSAGE_P2P bob two
    """,
    "a refusal of what may be stored: the counter tells, and it is": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P UNKNOWN retry=1 the store did not answer
        at 1
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P NOTFOUND no such account
        C @cseq=0 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P GAP expected=7 go on
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P NOTFOUND no such account
        C @cseq=0 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P GAP expected=7 go on
        event Settled(2, '')
        send bob two
        C @cseq=7 SEND_MESSAGE_P2P bob two
    """,
    "a refusal of what may be stored: the counter tells, and it is not": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P UNKNOWN retry=1 the store did not answer
        at 1
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P NOTFOUND no such account
        C @cseq=0 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P GAP expected=6 go on
        event Settled(2, RefusedError('NOTFOUND', 'no such account'))
        send bob two
        C @cseq=6 SEND_MESSAGE_P2P bob two
    """,
    "CONFLICT: the number was used by somebody else, so another one is taken": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        send bob two
        C @cseq=7 SEND_MESSAGE_P2P bob two
        S ERR SEND_MESSAGE_P2P CONFLICT expected=9 used
        S ERR SEND_MESSAGE_P2P CONFLICT expected=9 used
        C @cseq=9 SEND_MESSAGE_P2P bob one
        S OK SEND_MESSAGE_P2P alice+bob:7-50
        event Settled(2, 'alice+bob:7-50')
        C @cseq=10 SEND_MESSAGE_P2P bob two
    """,
    "OLD on a repetition means stored": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P UNKNOWN retry=0 the store did not answer
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P OLD it is stored
        event Settled(2, '')
    """,
    "OLD on a first attempt means a stale counter": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P OLD it is stored
        C @cseq=0 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P GAP expected=3000 go on
        C @cseq=3000 SEND_MESSAGE_P2P bob one
    """,
    "FLOOD with a time ends by waiting": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P FLOOD retry=0.5 too fast
        at 0.5
        C @cseq=6 SEND_MESSAGE_P2P bob one
    """,
    "a server that forgot the counter": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P GAP expected=1 go on
        C @cseq=1 SEND_MESSAGE_P2P bob one
    """,
    "INTERNAL three times is a refusal": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P INTERNAL a defect
        at 1
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P INTERNAL a defect
        at 2
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P INTERNAL a defect
        C @cseq=0 SEND_MESSAGE_P2P bob one
        S ERR SEND_MESSAGE_P2P GAP expected=6 go on
        event Settled(2, RefusedError('INTERNAL', 'a defect'))
    """,
    "nobody of that name: the question for the counter is the refusal": LOGIN
    + """
        send nobody hi
        C @cseq=0 SEND_MESSAGE_P2P nobody hi
        S ERR SEND_MESSAGE_P2P NOTFOUND no such account
        event Settled(1, RefusedError('NOTFOUND', 'no such account'))
    """,
    "messages are handed out once and acknowledged together, half a second later": LOGIN
    + """
        S RESP_MESSAGE_P2P bob alice+bob:7-1 hi  alice
        event Message('bob', 'hi  alice', 'alice+bob:7-1', 'alice+bob')
        S RESP_MESSAGE_P2P bob alice+bob:7-1 hi  alice
        S @esc RESP_MESSAGE_P2P bob alice+bob:7-2 two\\nlines
        event Message('bob', 'two\\nlines', 'alice+bob:7-2', 'alice+bob')
        S RESP_MESSAGE_TOPIC fishing bob #fishing:7-9 me
        event Message('bob', 'me', '#fishing:7-9', '#fishing', 'fishing')
        S RESP_NOTICE carol @alice:7-1 INVITED fishing
        event Notice('carol', 'INVITED fishing', '@alice:7-1', '@alice')
        at 0.5
        C SEND_ACK alice+bob:7-2
        C SEND_ACK #fishing:7-9
        C SEND_ACK @alice:7-1
    """,
    "a higher epoch is later, whatever the number": LOGIN
    + """
        S RESP_MESSAGE_P2P bob alice+bob:7-9 one
        event Message('bob', 'one', 'alice+bob:7-9', 'alice+bob')
        S RESP_MESSAGE_P2P bob alice+bob:8-5 two
        event Gap('alice+bob', 5, 9)
        event Message('bob', 'two', 'alice+bob:8-5', 'alice+bob')
        S RESP_MESSAGE_P2P bob alice+bob:7-10 late
        close
        C SEND_ACK alice+bob:8-5
        C QUIT
        S OK QUIT
        event Ended('stopped')
    """,
    "what is redelivered is dropped and acknowledged again": LOGIN
    + f"""
        S RESP_MESSAGE_P2P bob alice+bob:7-1 one
        event Message('bob', 'one', 'alice+bob:7-1', 'alice+bob')
        lost
        connect
        S {GREETING}
        C HELLO 1 caps=ack
        S OK HELLO fishchat/1 caps=ack
        C @device=main SEND_CLIENT_ID alice
        S OK SEND_CLIENT_ID alice
        event Online()
        S RESP_MESSAGE_P2P bob alice+bob:7-1 one
        at 0.5
        C SEND_ACK alice+bob:7-1
    """,
    "own messages are no news": WARM
    + """
        S RESP_MESSAGE_P2P alice alice+bob:7-40 zero
        at 0.5
        C SEND_ACK alice+bob:7-40
    """,
    "a number that named another message tells of a loss": LOGIN
    + """
        S RESP_MESSAGE_P2P bob alice+bob:7-4 four
        event Message('bob', 'four', 'alice+bob:7-4', 'alice+bob')
        S RESP_MESSAGE_P2P bob alice+bob:7-5 five
        event Message('bob', 'five', 'alice+bob:7-5', 'alice+bob')
        S RESP_MESSAGE_P2P bob alice+bob:9-4 again
        event Gap('alice+bob', 4, 5)
        event Message('bob', 'again', 'alice+bob:9-4', 'alice+bob')
        S RESP_MESSAGE_P2P bob alice+bob:9-5 on
        event Message('bob', 'on', 'alice+bob:9-5', 'alice+bob')
        S RESP_MESSAGE_P2P bob alice+bob:11-6 a new epoch without a loss
        event Message('bob', 'a new epoch without a loss', 'alice+bob:11-6', 'alice+bob')
    """,
    "a loss that the server has told of is told once": LOGIN
    + """
        S RESP_MESSAGE_P2P bob alice+bob:7-5 five
        event Message('bob', 'five', 'alice+bob:7-5', 'alice+bob')
        S RESP_GAP alice+bob 4 5
        event Gap('alice+bob', 4, 5)
        S RESP_MESSAGE_P2P bob alice+bob:9-4 again
        event Message('bob', 'again', 'alice+bob:9-4', 'alice+bob')
    """,
    "the other pushes": LOGIN
    + """
        S RESP_GAP alice+bob 3 9
        event Gap('alice+bob', 3, 9)
        S RESP_BEHIND alice+bob 10 99
        event Behind('alice+bob', 10, 99)
        S RESP_BEHIND alice+bob 9 3
        S RESP_READ bob alice+bob:7-2
        event Read('bob', 'alice+bob:7-2')
        S RESP_MOVE 10.0.0.1:19001 within=30
        event Moved('10.0.0.1:19001', 30.0)
        S RESP_MOVE - within=5
        event Moved(None, 5.0)
        S RESP_PING
        C SEND_PING
        S RESP_NOVELTY of a later version
        S OK SEND_PING
        S RESP_REPLACED
        event Ended('replaced')
        S RESP_MESSAGE_P2P bob alice+bob:7-1 too late
        lost
    """,
    "the server says why it closes: the same as the close itself": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        S RESP_BYE silence nothing was received for 120 s
        event Broken('the server closes the connection: nothing was received for 120 s')
        S OK SEND_MESSAGE_P2P alice+bob:7-41
        lost
    """,
    "a later server's reason to close, without a sentence": LOGIN
    + """
        S RESP_BYE novelty
        event Broken('the server closes the connection: novelty')
        lost
    """,
    "controls are left out: the server would take them for keys, or refuse them": WARM
    + """
        send bob a\x1b[31mb\x08\x7fc\td\x9be
        C @cseq=6 SEND_MESSAGE_P2P bob a[31mbc\tde
    """,
    "a silent server is pinged, then given up": LOGIN
    + """
        at 29
        at 30
        C SEND_PING
        at 39
        S OK SEND_PING
        at 68
        at 69
        C SEND_PING
        at 78
        at 79
        event Broken('the server is silent')
    """,
    "a server that does not greet is given up": """
        connect
        at 9
        at 10
        event Broken('the server is silent')
    """,
    "a server without caps=ack is refused": f"""
        connect
        S {GREETING}
        C HELLO 1 caps=ack
        S OK HELLO fishchat/1
        event Ended('refused', RefusedError('VERSION', 'the server does not offer caps=ack'))
    """,
    "a login that is refused ends it": f"""
        connect
        S {GREETING}
        C HELLO 1 caps=ack
        S OK HELLO fishchat/1 caps=ack
        C @device=main SEND_CLIENT_ID alice
        S ERR SEND_CLIENT_ID AUTH the login was refused
        event Ended('refused', RefusedError('AUTH', 'the login was refused'))
    """,
    "a login is tried again when the store is away": f"""
        connect
        S {GREETING}
        C HELLO 1 caps=ack
        S OK HELLO fishchat/1 caps=ack
        C @device=main SEND_CLIENT_ID alice
        S ERR SEND_CLIENT_ID TRYAGAIN retry=2 the store is away
        at 2
        C @device=main SEND_CLIENT_ID alice
        S OK SEND_CLIENT_ID alice
        event Online()
    """,
    "a server that has no room": """
        connect
        S ERR - BUSY this server has no room
        event Broken('the server says BUSY: this server has no room')
    """,
    "a reply to no command breaks the connection": LOGIN
    + """
        S OK JOIN_TOPIC fishing
        event Broken("a line that is no part of the protocol (a reply to no command): b'OK JOIN_TOPIC fishing'")
    """,
    "a refused acknowledgement is no reply": LOGIN + "S ERR SEND_ACK AHEAD above the last one",
    "lists": LOGIN
    + """
        ask members fishing
        C REQ_MEMBERS fishing
        S BEGIN REQ_MEMBERS 2
        S ITEM alice owner 5
        S RESP_MESSAGE_P2P bob alice+bob:7-1 between
        event Message('bob', 'between', 'alice+bob:7-1', 'alice+bob')
        S ITEM bob member 3
        S END REQ_MEMBERS
        event Settled(1, [Member('alice', True, 5), Member('bob', False, 3)])
        ask status bob
        C REQ_CLIENT_STATUS bob
        S OK REQ_CLIENT_STATUS bob offline 1500
        event Settled(2, Status('bob', False, 1.5))
        ask conversations
        C REQ_CONVERSATIONS
        S BEGIN REQ_CONVERSATIONS 0
        S END REQ_CONVERSATIONS
        event Settled(3, [])
    """,
    "a command whose outcome is unknown is asked again, and done already is done": LOGIN
    + """
        ask leave fishing
        C LEAVE_TOPIC fishing
        S ERR LEAVE_TOPIC UNKNOWN retry=1 the store did not answer
        at 1
        C LEAVE_TOPIC fishing
        S ERR LEAVE_TOPIC NOTMEMBER you are no member
        event Settled(1, None)
        ask leave fishing
        C LEAVE_TOPIC fishing
        S ERR LEAVE_TOPIC NOTMEMBER you are no member
        event Settled(2, RefusedError('NOTMEMBER', 'you are no member'))
    """,
    "commands keep the user's order": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        ask leave fishing
        C LEAVE_TOPIC fishing
        send bob two
        C @cseq=7 SEND_MESSAGE_P2P bob two
    """,
    "a draining connection starts nothing new": WARM
    + """
        send bob one
        C @cseq=6 SEND_MESSAGE_P2P bob one
        drain
        send bob two
        S OK SEND_MESSAGE_P2P alice+bob:7-41
        event Settled(2, 'alice+bob:7-41')
    """,
    "closing while away": "close\nevent Ended('stopped')",
}


class TranscriptTests(SynchronousTestCase):
    """Every transcript of the table."""

    def play(self, transcript: str, **options: Any) -> Machine:
        machine = Machine("alice", **options)
        Talk(self, machine).play(transcript)
        return machine

    def test_manual(self) -> None:
        """With ``manual_ack`` only what was dealt with is acknowledged, and only when all before it was too."""
        self.play(
            LOGIN
            + """
            S RESP_MESSAGE_P2P bob alice+bob:7-1 one
            event Message('bob', 'one', 'alice+bob:7-1', 'alice+bob')
            S RESP_MESSAGE_P2P bob alice+bob:7-2 two
            event Message('bob', 'two', 'alice+bob:7-2', 'alice+bob')
            S RESP_MESSAGE_P2P bob alice+bob:7-3 three
            event Message('bob', 'three', 'alice+bob:7-3', 'alice+bob')
            finish alice+bob:7-2
            at 1
            finish alice+bob:7-1
            at 1.4
            at 1.5
            C SEND_ACK alice+bob:7-2
            at 10
            """,
            manual_ack=True,
        )

    def test_nothing_unseen_is_acknowledged(self) -> None:
        """The id of a message that was not handed out is refused."""
        machine = self.play(LOGIN, manual_ack=True)
        self.assertRaises(ValueError, machine.finish, "alice+bob:7-1", 0.0)
        self.assertRaises(ValueError, machine.finish_up_to, "alice+bob:7-1", 0.0)

    def test_batches(self) -> None:
        """After 32 messages they are acknowledged at once."""
        machine = self.play(LOGIN)
        for seq in range(1, 33):
            self.assertEqual(machine.lines(0.0), [])
            machine.received(b"RESP_MESSAGE_P2P bob alice+bob:7-%d x" % seq, 0.0)
        self.assertEqual(machine.lines(0.0), [b"SEND_ACK alice+bob:7-32"])

    def test_window(self) -> None:
        """At most 32 commands are on the wire without a reply."""
        machine = self.play(WARM)
        for _ in range(50):
            machine.send("bob", "x")
        self.assertEqual(len(machine.lines(0.0)), 32)
        machine.received(b"OK SEND_MESSAGE_P2P alice+bob:7-41", 0.0)
        self.assertEqual(machine.lines(0.0), [b"@cseq=38 SEND_MESSAGE_P2P bob x"])

    def test_history(self) -> None:
        """History comes as objects, escaped texts unescaped."""
        machine = self.play(LOGIN)
        key = machine.ask(messages.history("alice+bob", "alice+bob:7-9", None, 2))
        self.assertEqual(machine.lines(0.0), [b"@limit=2;before=alice+bob:7-9 REQ_HISTORY alice+bob"])
        for line in (
            b"BEGIN REQ_HISTORY 2",
            b"ITEM alice+bob:7-7 bob 1500 hello  there",
            b"@esc ITEM alice+bob:7-8 alice 2500 a\\nb",
            b"END REQ_HISTORY",
        ):
            machine.received(line, 0.0)
        items = [
            HistoryItem("alice+bob:7-7", "bob", 1.5, "hello  there"),
            HistoryItem("alice+bob:7-8", "alice", 2.5, "a\nb"),
        ]
        self.assertEqual(machine.events(), [Settled(key, items)])

    def test_refused_at_once(self) -> None:
        """What no server could take is refused without asking one."""
        machine = Machine("alice")
        for to, text, word in (
            ("Bob", "x", "BADNAME"),
            ("#", "x", "BADNAME"),
            ("bob", "a\0b", "NUL"),
            ("bob", "\ud800", "BADUTF8"),
            ("bob", "x" * 7169, "TEXTTOOLONG"),
            ("bob", "\n" * 4000, "TEXTTOOLONG"),
        ):
            error = self.assertRaises(RefusedError, machine.send, to, text)
            self.assertEqual(error.word, word)
        self.assertEqual(self.assertRaises(RefusedError, messages.mark_read, "no sense").word, "BADID")
        self.assertRaises(ValueError, Machine, "alice", secret="two\r\nlines")

    def test_restart(self) -> None:
        """A program that starts from the state of another one goes on under the same numbers."""
        first = self.play(
            WARM
            + """
            S RESP_MESSAGE_P2P bob alice+bob:7-41 hi
            event Message('bob', 'hi', 'alice+bob:7-41', 'alice+bob')
            send bob one
            C @cseq=6 SEND_MESSAGE_P2P bob one
            """
        )
        first.send("bob", "two")
        state = ClientState.from_json(first.snapshot().to_json())
        self.play(
            LOGIN.replace("S RESP_SYNCED", "C @cseq=6 SEND_MESSAGE_P2P bob one\nS RESP_SYNCED")
            + """
            S RESP_MESSAGE_P2P bob alice+bob:7-41 hi
            S OK SEND_MESSAGE_P2P alice+bob:7-42
            event Settled(1, 'alice+bob:7-42')
            C @cseq=7 SEND_MESSAGE_P2P bob two
            """,
            state=state,
        )
        self.assertRaises(ValueError, Machine, "alice", "phone", state=state)

    def test_restart_with_operations(self) -> None:
        """Operations, replies and mentions without an OK are sent again by the next program, in their order."""
        warm = WARM.replace("P2P", "TOPIC").replace("TOPIC bob", "TOPIC a").replace("send bob", "send #a")
        first = self.play(warm.replace("alice+bob", "#a"))
        first.send("#a", "one", "#a:7-1", ["bob", "carol"])
        first.operate(operations.edit("#a:7-40", "two\nlines", "#a:7-40", ()))
        first.send("#a", "three", mention=())
        lines = [
            b"@cseq=6;reply=#a:7-1;mention=bob,carol SEND_MESSAGE_TOPIC a one",
            rb"@cseq=7;esc;was=#a:7-40;mention SEND_EDIT #a:7-40 two\nlines",
            b"@cseq=8;mention SEND_MESSAGE_TOPIC a three",
        ]
        self.assertEqual(first.lines(0.0), lines)
        state = ClientState.from_json(first.snapshot().to_json())
        second = Machine("alice", state=state)
        Talk(self, second).play(LOGIN.replace("S RESP_SYNCED", f"C {lines[0].decode()}\nS RESP_SYNCED"))
        second.received(b"OK SEND_MESSAGE_TOPIC #a:7-41", 0.0)
        self.assertEqual(second.lines(0.0), lines[1:])
        second.received(b"OK SEND_EDIT #a:7-42", 0.0)
        second.received(b"OK SEND_MESSAGE_TOPIC #a:7-43", 0.0)
        settled = [Settled(key, f"#a:7-{number}") for key, number in enumerate((41, 42, 43), 1)]
        self.assertEqual(second.events(), settled)

    def test_operations_that_come_along(self) -> None:
        """With the capability of read marks operations are received, too: unwanted, they are only acknowledged."""
        for manual in (False, True):
            machine = self.play(OPERATIONS, own_reads=True, manual_ack=manual)
            machine.received(b"RESP_PIN bob #a:7-1 #a:7-0 +", 0.0)
            self.assertEqual(machine.events(), [])
            self.assertEqual(machine.lines(1.0), [b"SEND_ACK #a:7-1"])

    def test_refused_tags(self) -> None:
        """So are replies and mentions that no message can have."""
        machine = Machine("alice")
        for word, tags in (
            ("BADID", {"reply": "a:1"}),
            ("BADNAME", {"mention": ["Bob"]}),
            ("BADTAG", {"mention": ["bob"] * 17}),
        ):
            error = self.assertRaises(RefusedError, machine.send, "#a", "x", **tags)
            self.assertEqual(error.word, word)
        self.assertEqual(self.assertRaises(RefusedError, machine.send, "bob", "x", None, ["bob"]).word, "BADTAG")

    def test_nonsense(self) -> None:
        """No line makes the machine raise."""
        for line in (
            b"",
            b" ",
            b"@",
            b"@x",
            b"OK",
            b"ERR",
            b"ERR -",
            b"END",
            b"ITEM",
            b"RESP_MESSAGE_P2P",
            b"RESP_MESSAGE_P2P bob nonsense x",
            b"RESP_MESSAGE_TOPIC a b c",
            b"RESP_GAP x",
            b"RESP_READ",
            b"RESP_MOVE x within=y",
            b"@esc RESP_MESSAGE_P2P bob alice+bob:1-1 \\x",
            b"OK SEND_MESSAGE_P2P",
            b"OK SEND_MESSAGE_P2P nonsense",
            b"OK SEND_MESSAGE_P2P alice+carol:1-1",
            b"ERR SEND_MESSAGE_P2P GAP",
            b"ERR SEND_MESSAGE_P2P GAP expected=x",
            b"\xff\xfe",
            b"RESP_READ \xff \xff",
            b"\n",
        ):
            machine = self.play(WARM)
            machine.send("bob", "x")
            machine.lines(0.0)
            machine.received(line, 0.0)
            machine.lost()
            machine.connected(0.0)

    def test_no_numbers(self) -> None:
        """Times of which no timer can be made, and what is no number of the protocol, break the connection."""
        for line in (
            *(b"RESP_MOVE - within=" + time for time in (b"nan", b"inf", b"-1", b"1e300")),
            *(b"RESP_GAP alice+bob %s 9" % number for number in (b"-1", b"+1", b"1_0", "٣".encode())),
        ):
            machine = self.play(WARM)
            machine.received(line, 0.0)
            self.assertEqual([type(event) for event in machine.events()], [Broken], line)


def _transcript_test(transcript: str) -> Callable[[TranscriptTests], None]:
    def test(self: TranscriptTests) -> None:
        self.play(transcript, operations=transcript.startswith(OPERATIONS))

    return test


for _name, _text in TRANSCRIPTS.items():
    _test = _transcript_test(_text)
    _test.__doc__ = _name
    setattr(TranscriptTests, "test_" + re.sub(r"\W+", "_", _name), _test)

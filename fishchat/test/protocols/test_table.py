"""From a line to a command, or to the word of its refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import WORDS, ProtocolError
from fishchat.features.registry import MSG_SERVER_COMMANDS, VERBS
from fishchat.model.names import split_id
from fishchat.protocols.fields import MAX_CSEQ
from fishchat.protocols.lines import MAX_LINE, MAX_TEXT, OVERLONG
from fishchat.protocols.rows import Verb
from fishchat.protocols.table import BadCommand, Command
from fishchat.services.gateway.rows import GATEWAY_COMMANDS
from fishchat.test.support import strategies
from fishchat.test.support.chunks import fed


def said(verb: str, *fields: Any, text: str = "", **tags: Any) -> Command:
    """The command that a line is expected to be."""
    row = MSG_SERVER_COMMANDS.find(verb.encode())
    assert row is not None and row.name == verb.encode()
    return Command(row, list(fields), text.encode(), {name.encode(): value for name, value in tags.items()})


P2P, TOPIC = "SEND_MESSAGE_P2P", "SEND_MESSAGE_TOPIC"
ID = (b"alice+bob", 471893, 17)
SETTINGS: dict[str, Any] = {"write": b"admins", "history": b"all", "listed": b""}
FOR: dict[str, Any] = {"for": 60}

#: A line without its ending, and the command or the word of the refusal.
GOOD: list[tuple[bytes, Command]] = [
    (b"HELLO 1", said("HELLO", b"1")),
    (b"HELLO 1 caps=ack", said("HELLO", b"1", text="caps=ack")),
    (b"HELLO 1 caps=ack more=x", said("HELLO", b"1", text="caps=ack more=x")),
    (b"SEND_CLIENT_ID alice", said("SEND_CLIENT_ID", b"alice")),
    (b"SEND_CLIENT_ID alice ", said("SEND_CLIENT_ID", b"alice")),
    (b"SEND_CLIENT_ID alice open sesame", said("SEND_CLIENT_ID", b"alice", text="open sesame")),
    (b"@device=phone SEND_CLIENT_ID alice", said("SEND_CLIENT_ID", b"alice", device=b"phone")),
    (b"SEND_PING", said("SEND_PING")),
    (b"SEND_MESSAGE_P2P bob hello there", said(P2P, b"bob", text="hello there")),
    (b"SEND_MESSAGE_TOPIC fishing who is in?", said(TOPIC, b"fishing", text="who is in?")),
    (b"SEND_ACK alice+bob:471893-17", said("SEND_ACK", ID)),
    (b"SEND_READ #fishing:7-1", said("SEND_READ", (b"#fishing", 7, 1))),
    (b"SEND_READ @alice:7-1", said("SEND_READ", (b"@alice", 7, 1))),
    (b"READ bob", said("SEND_READ", b"bob")),
    (b"READ bob+alice", said("SEND_READ", b"alice+bob")),
    (b"READ #fishing", said("SEND_READ", b"#fishing")),
    (b"CREATE_TOPIC fishing", said("CREATE_TOPIC", b"fishing")),
    (b"@kind=invitation CREATE_TOPIC club", said("CREATE_TOPIC", b"club", kind=b"invitation")),
    (b"JOIN_TOPIC fishing", said("JOIN_TOPIC", b"fishing")),
    (b"@write=admins;history=all;listed CREATE_TOPIC club", said("CREATE_TOPIC", b"club", **SETTINGS)),
    (b"JOIN_TOPIC fishing please let me in", said("JOIN_TOPIC", b"fishing", text="please let me in")),
    (b"CREATE_LINK club", said("CREATE_LINK", b"club")),
    (b"@for=60;uses=3;approval LINK club", said("CREATE_LINK", b"club", approval=b"", uses=3, **FOR)),
    (b"UNLINK club fcj_a", said("REVOKE_LINK", b"club", b"fcj_a")),
    (b"LINKS club", said("REQ_LINKS", b"club")),
    (b"ENTER fcj_a may I?", said("JOIN_LINK", b"fcj_a", text="may I?")),
    (b"REQUESTS club", said("REQ_REQUESTS", b"club")),
    (b"ACCEPT club bob", said("ACCEPT_MEMBER", b"club", b"bob")),
    (b"REFUSE club bob not now", said("REFUSE_MEMBER", b"club", b"bob", text="not now")),
    (b"DIRECTORY", said("REQ_DIRECTORY")),
    (b"@after=fish;limit=3 DIRECTORY fi", said("REQ_DIRECTORY", text="fi", after=b"fish", limit=3)),
    (b"LEAVE_TOPIC fishing", said("LEAVE_TOPIC", b"fishing")),
    (b"INVITE_TOPIC club bob", said("INVITE_TOPIC", b"club", b"bob")),
    (b"DISMISS_TOPIC club", said("DISMISS_TOPIC", b"club")),
    (b"SET club about we meet on  Sunday", said("SET_TOPIC", b"club", b"about", text="we meet on  Sunday")),
    (b"INFO club", said("REQ_TOPIC", b"club")),
    (b"ROLE club bob admin", said("SET_ROLE", b"club", b"bob", b"admin")),
    (b"TRANSFER club bob", said("TRANSFER_TOPIC", b"club", b"bob")),
    (b"KICK club bob", said("KICK_MEMBER", b"club", b"bob")),
    (b"KICK club bob off topic", said("KICK_MEMBER", b"club", b"bob", text="off topic")),
    (b"@for=60 BAN club bob spam", said("BAN_MEMBER", b"club", b"bob", text="spam", **{"for": 60})),
    (b"UNBAN club bob", said("UNBAN_MEMBER", b"club", b"bob")),
    (b"@after=bob;limit=2 BANNED club", said("REQ_BANNED", b"club", after=b"bob", limit=2)),
    (b"MUTE club bob", said("MUTE_MEMBER", b"club", b"bob")),
    (b"UNMUTE club bob", said("UNMUTE_MEMBER", b"club", b"bob")),
    (b"LOCATE_TOPIC_MSG_ADDR fishing", said("LOCATE_TOPIC_MSG_ADDR", b"fishing")),
    (b"REQ_HISTORY alice+bob", said("REQ_HISTORY", b"alice+bob")),
    (b"REQ_HISTORY bob+alice", said("REQ_HISTORY", b"alice+bob")),
    (b"HISTORY bob", said("REQ_HISTORY", b"bob")),
    (b"@limit=100 REQ_HISTORY @alice", said("REQ_HISTORY", b"@alice", limit=100)),
    (b"@before=alice+bob:471893-17 HISTORY alice+bob", said("REQ_HISTORY", b"alice+bob", before=ID)),
    (b"@after=alice+bob:471893-17;limit=1 HISTORY #a", said("REQ_HISTORY", b"#a", after=ID, limit=1)),
    (b"@with=ops HISTORY bob", Command(said("REQ_HISTORY", b"bob").verb, [b"bob"], b"", {b"with": b"ops"})),
    (b"@reply=alice+bob:471893-17 MSG bob x", said(P2P, b"bob", text="x", reply=ID)),
    (b"@mention=bob,carol SAY fishing x", said(TOPIC, b"fishing", text="x", mention=b"bob,carol")),
    (b"@mention=all SAY fishing x", said(TOPIC, b"fishing", text="x", mention=b"all")),
    (b"@mention SAY fishing @bob", said(TOPIC, b"fishing", text="@bob", mention=b"")),
    (b"SEND_EDIT alice+bob:471893-17 two  words", said("SEND_EDIT", ID, text="two  words")),
    (b"@was=alice+bob:471893-17;cseq=2 EDIT alice+bob:471893-17 x", said("SEND_EDIT", ID, text="x", was=ID, cseq=2)),
    (b"RECALL alice+bob:471893-17", said("SEND_RECALL", ID)),
    (b"SEND_RECALL alice+bob:471893-17 not for you", said("SEND_RECALL", ID, text="not for you")),
    (b"REACT  alice+bob:471893-17  +1", said("SEND_REACTION", ID, b"+1")),
    ("SEND_REACTION alice+bob:471893-17 👩‍🚀".encode(), said("SEND_REACTION", ID, "👩‍🚀".encode())),
    (b"UNREACT alice+bob:471893-17 a:b;c=d", said("REMOVE_REACTION", ID, b"a:b;c=d")),
    (b"PIN alice+bob:471893-17", said("SEND_PIN", ID)),
    (b"UNPIN alice+bob:471893-17", said("REMOVE_PIN", ID)),
    (b"SHOW alice+bob:471893-17", said("REQ_MESSAGE", ID)),
    (b"VERSIONS alice+bob:471893-17", said("REQ_VERSIONS", ID)),
    (b"REACTIONS alice+bob:471893-17", said("REQ_REACTIONS", ID)),
    (b"PINS #fishing", said("REQ_PINS", b"#fishing")),
    (b"PINS bob+alice", said("REQ_PINS", b"alice+bob")),
    (b"REQ_CONVERSATIONS", said("REQ_CONVERSATIONS")),
    (b"@preview CONVERSATIONS", said("REQ_CONVERSATIONS", preview=b"")),
    (b"@before=7-#a;limit=100 CONVERSATIONS", said("REQ_CONVERSATIONS", before=(7, b"#a"), limit=100)),
    (b"DELETE_CLIENT open sesame", said("DELETE_CLIENT", text="open sesame")),
    (b"NAMES bob carol", said("REQ_NAMES", text="bob carol")),
    (b"REQ_CLIENT_STATUS bob", said("REQ_CLIENT_STATUS", b"bob")),
    (b"REQ_TOPICS", said("REQ_TOPICS")),
    (b"WATCH bob", said("WATCH_CLIENT", b"bob")),
    (b"unwatch bob", said("UNWATCH_CLIENT", b"bob")),
    (b"OPEN #fishing", said("WATCH_CONVERSATION", b"#fishing")),
    (b"CLOSE bob+alice", said("UNWATCH_CONVERSATION", b"alice+bob")),
    (b"TYPING bob", said("SEND_TYPING", b"bob")),
    (b"READERS alice+bob:471893-17", said("REQ_READERS", ID)),
    (b"REQ_MEMBERS fishing", said("REQ_MEMBERS", b"fishing")),
    (b"SEND_AUTH SCRAM-SHA-256 n,,n=alice,r=a=b", said("SEND_AUTH", b"SCRAM-SHA-256", text="n,,n=alice,r=a=b")),
    (b"@device=phone AUTH SCRAM-SHA-256-PLUS x", said("SEND_AUTH", b"SCRAM-SHA-256-PLUS", text="x", device=b"phone")),
    (b"CREATE_CLIENT alice open sesame", said("CREATE_CLIENT", b"alice", text="open sesame")),
    (b"REDEEM_CODE alice phone fcc_x", said("REDEEM_CODE", b"alice", b"phone", text="fcc_x")),
    (b"@invite=fci_x SIGNUP alice open sesame", said("CREATE_CLIENT", b"alice", text="open sesame", invite=b"fci_x")),
    (b"SEND_PASSWORD close sesame", said("SEND_PASSWORD", text="close sesame")),
    (b"REQ_DEVICES", said("REQ_DEVICES")),
    (b"REVOKE_DEVICE phone", said("REVOKE_DEVICE", b"phone")),
    (b"BLOCK_CLIENT bob", said("BLOCK_CLIENT", b"bob")),
    (b"UNBLOCK_CLIENT bob", said("UNBLOCK_CLIENT", b"bob")),
    (b"REQ_BLOCKED", said("REQ_BLOCKED")),
    (b"ADD_CONTACT bob", said("ADD_CONTACT", b"bob")),
    (b"REMOVE_CONTACT bob", said("REMOVE_CONTACT", b"bob")),
    (b"REQ_CONTACTS", said("REQ_CONTACTS")),
    (b"CONTACT bob Bob from work", said("ADD_CONTACT", b"bob", text="Bob from work")),
    (b"ASK_CONTACT bob", said("ASK_CONTACT", b"bob")),
    (b"ASK bob hello there", said("ASK_CONTACT", b"bob", text="hello there")),
    (b"REQ_CONTACT_REQUESTS", said("REQ_CONTACT_REQUESTS")),
    (b"ACCEPT_CONTACT bob", said("ACCEPT_CONTACT", b"bob")),
    (b"REFUSE_CONTACT bob", said("REFUSE_CONTACT", b"bob")),
    (b"SET_CONVERSATION bob notify none", said("SET_CONVERSATION", b"bob", b"notify", text="none")),
    (b"KEEP #a remark", said("SET_CONVERSATION", b"#a", b"remark")),
    (b"REPORT_MESSAGE alice+bob:471893-17", said("REPORT_MESSAGE", ID)),
    (b"REPORT alice+bob:471893-17 spam", said("REPORT_MESSAGE", ID, text="spam")),
    (b"SEND_PRIVACY contacts", said("SEND_PRIVACY", b"contacts")),
    ("SEND_NAME 爱丽丝".encode(), said("SEND_NAME", text="爱丽丝")),
    (b"HELP", said("HELP")),
    (b"HELP MSG", said("HELP", text="MSG")),
    (b"QUIT", said("QUIT")),
    # Short names, and any case.
    (b"LOGIN alice", said("SEND_CLIENT_ID", b"alice")),
    (b"PING", said("SEND_PING")),
    (b"ping", said("SEND_PING")),
    (b"Send_Ping", said("SEND_PING")),
    (b"msg bob Hello", said(P2P, b"bob", text="Hello")),
    (b"say fishing x", said(TOPIC, b"fishing", text="x")),
    # Text is what stands behind the one space.
    (b"MSG bob  two  blanks ", said(P2P, b"bob", text=" two  blanks ")),
    (b"MSG bob \t", said(P2P, b"bob", text="\t")),
    (b"MSG bob  ", said(P2P, b"bob", text=" ")),
    (b"MSG bob @id=1 PING", said(P2P, b"bob", text="@id=1 PING")),
    (b'MSG bob "quoted" \\n stays', said(P2P, b"bob", text='"quoted" \\n stays')),
    ("MSG bob 鱼传尺素 🐟".encode(), said(P2P, b"bob", text="鱼传尺素 🐟")),
    # Where none follows, blanks are nothing.
    (b"INVITE  club \t bob  ", said("INVITE_TOPIC", b"club", b"bob")),
    (b"PING  ", said("SEND_PING")),
    # Control characters go, the direction of writing stays.
    (b"MSG bob a\x07b\x1b[31mc\x1b[0md\x01e", said(P2P, b"bob", text="abcde")),
    ("MSG bob a\x80b\x9fc\x85d\u00a0e".encode(), said(P2P, b"bob", text="abcd\u00a0e")),
    ("MSG bob a\u202eb\u2066c\u200fd".encode(), said(P2P, b"bob", text="a\u202eb\u2066c\u200fd")),
    (b"MSG bob tab\tstays", said(P2P, b"bob", text="tab\tstays")),
    (b"PI\x07NG\x01", said("SEND_PING")),
    # Blanks before a line and before a verb, a tab after it, the mark at the beginning of a text file.
    (b" PING", said("SEND_PING")),
    (b"\t \tmsg bob x", said(P2P, b"bob", text="x")),
    (b"PING\t", said("SEND_PING")),
    (b"MSG\tbob a\tb", said(P2P, b"bob", text="a\tb")),
    (b"MSG\tbob  x", said(P2P, b"bob", text=" x")),
    (b"NAME\t x", said("SEND_NAME", text=" x")),
    (b"INVITE\tclub\tbob", said("INVITE_TOPIC", b"club", b"bob")),
    (b"@id=1  PING", said("SEND_PING", id=b"1")),
    (b" \t@id=1 \t PING", said("SEND_PING", id=b"1")),
    (b"\xef\xbb\xbfLOGIN alice", said("SEND_CLIENT_ID", b"alice")),
    (b"\xef\xbb\xbf @id=1 HELLO 1 caps=ack", said("HELLO", b"1", text="caps=ack", id=b"1")),
    # Telnet's sequences, anywhere.
    (b"\xff\xfb\x01PI\xff\xfa\x18\0xterm\xff\xf0NG", said("SEND_PING")),
    (b"MSG bob a\xff\xffb\xff\xf1", said(P2P, b"bob", text="ab")),
    # Tags.
    (b"@id=1 PING", said("SEND_PING", id=b"1")),
    (b"@id=1;id=2 PING", said("SEND_PING", id=b"2")),
    (rb"@id=a\sb\:c PING", said("SEND_PING", id=b"a b;c")),
    (b"@cseq=0 MSG bob x", said(P2P, b"bob", text="x", cseq=0)),
    (b"@cseq=7;id=q SAY fishing x", said(TOPIC, b"fishing", text="x", cseq=7, id=b"q")),
    (rb"@esc MSG bob a\nb\\c\r", said(P2P, b"bob", text=r"a\nb\\c\r", esc=b"")),
    (rb"@esc=;cseq=1 MSG bob x", said(P2P, b"bob", text="x", esc=b"", cseq=1)),
]

BAD: list[tuple[bytes, str]] = [
    # No verb of ours.
    (b"FOO", "UNKNOWN_VERB"),
    (b" ", "UNKNOWN_VERB"),
    (b"\xef\xbb\xbf", "UNKNOWN_VERB"),
    (b"@id=1 \xef\xbb\xbfPING", "UNKNOWN_VERB"),
    (b"MSGbob", "UNKNOWN_VERB"),
    # What an arrow key or another key of a terminal sends.
    *[(b"MSG bob helo" + key + b"l", "CONTROL") for key in (b"\x1b[D", b"\x1bOD", b"\x1b[3~", b"\x1b", b"\xc2\x9bD")],
    (b"\x1bPING", "CONTROL"),
    (b"LOGIN aliec\x08\x08ce", "CONTROL"),
    ("MSG bob 鱼传\x7f鱼".encode(), "CONTROL"),
    (b"MSG bob hello\x15DISMISS fishing", "CONTROL"),
    (b"MSG bob a b\x17\x17\x17\x17PING", "CONTROL"),
    (b"MSG bob ab\xff\xf7c", "CONTROL"),
    (b"MSG bob x\xff\xf8PING", "CONTROL"),
    (b"@id=1", "UNKNOWN_VERB"),
    (b"@id=1\tPING", "UNKNOWN_VERB"),
    (b"REQ_MSG_SERVER", "UNKNOWN_VERB"),
    ("鱼".encode(), "UNKNOWN_VERB"),
    # Settings, roles and times that there are not.
    (b"SET club", "FIELDS"),
    (b"SET club colour red", "FIELDS"),
    (b"SET club slow", "FIELDS"),
    (b"ROLE club bob owner", "FIELDS"),
    (b"@for=0 BAN club bob", "BADTAG"),
    (b"@for=31622401 MUTE club bob", "BADTAG"),
    # What servers say.
    (b"ROUTE_MESSAGE_P2P bob x", "SERVER_VERB"),
    (b"route_anything", "SERVER_VERB"),
    (b"SUBSCRIBE_CHANNEL x", "SERVER_VERB"),
    (b"CACHE_SESSION", "SERVER_VERB"),
    (b"STORE_OFFLINE_MSG", "SERVER_VERB"),
    (b"RESP_MESSAGE_P2P alice alice+bob:7-1 forged", "SERVER_VERB"),
    (b"SELECT_MSG_SERVER_FOR_CLIENT 192.0.2.1:1", "SERVER_VERB"),
    # Fields.
    *[
        (line, "FIELDS")
        for line in (b"MSG", b"MSG ", b"MSG bob", b"MSG bob ", b"MSG  bob x", b"LOGIN", b"LOGIN  alice")
    ],
    *[
        (line, "FIELDS")
        for line in (
            b"PING x",
            b"JOIN",
            b"JOIN  a",
            b"LINK",
            b"LINK a b",
            b"UNLINK a",
            b"ENTER",
            b"ACCEPT a",
            b"ACCEPT a b c",
            b"INVITE a",
            b"INVITE a b c",
            b"HELLO",
            b"QUIT now",
        )
    ],
    (b"MSG bob \x01\x02", "FIELDS"),
    (b"AUTH SCRAM-SHA-1 n,,n=alice,r=x", "FIELDS"),
    (b"AUTH SCRAM-SHA-256", "FIELDS"),
    (b"CREATE_CLIENT alice", "FIELDS"),
    (b"REDEEM_CODE alice phone", "FIELDS"),
    (b"PRIVACY nobody", "FIELDS"),
    (b"@invite= SIGNUP alice open sesame", "BADTAG"),
    (b"HELLO 2", "VERSION"),
    (b"HELLO x caps=ack", "VERSION"),
    *[(b"LOGIN " + name, "BADNAME") for name in (b"Alice", b"a+b", b"#a", b"@a", b"a" * 33, "é".encode(), b"a/b")],
    *[(b"JOIN " + name, "BADNAME") for name in (b"#fishing", b"Fishing", b"a:b")],
    *[
        (b"ACK " + raw, "BADID")
        for raw in (b"alice", b"alice+bob", b"alice+bob:1", b"bob+alice:1-1", b"#:1-1", b"a+b:-1")
    ],
    *[(b"ENTER " + code, "FIELDS") for code in (b"a\tb", b"a" * 41, b"a*", "é".encode())],
    *[(b"@" + tag + b" CREATE a", "BADTAG") for tag in (b"kind=", b"kind=shut", b"write=x", b"history=x", b"listed=1")],
    *[(b"@for=%d LINK a" % seconds, "BADTAG") for seconds in (0, 31622401)],
    *[(b"@" + tag + b" LINK a", "BADTAG") for tag in (b"for=", b"for=-1", b"uses=0", b"uses=100001", b"approval=1")],
    *[(b"@" + tag + b" DIRECTORY", "BADTAG") for tag in (b"limit=0", b"limit=101")],
    *[(b"HISTORY " + raw, "BADID") for raw in (b"Alice", b"bob+", b"#", b"#A", b"alice+bob:1-1")],
    # Tags.
    *[
        (b"@" + raw + b" PING", "BADTAG")
        for raw in (b"", b"=1", b"id=1;", b";", b"ID=1", b"no-such=1", b"cseq=1", b"esc")
    ],
    *[(b"@id" + raw + b" PING", "BADTAG") for raw in (b"", b"=", b"=" + b"x" * 65)],
    *[
        (b"@cseq" + raw + b" MSG bob x", "BADTAG")
        for raw in (b"", b"=", b"=-1", b"=+1", b"=1.0", b"=x", b"=1_0", b"=0x1")
    ],
    ("@cseq=٧ MSG bob x".encode(), "BADTAG"),
    (b"@esc=1 MSG bob x", "BADTAG"),
    (b"@esc=true MSG bob x", "BADTAG"),
    (b"@kind=secret CREATE club", "BADTAG"),
    (b"@kind CREATE club", "BADTAG"),
    *[(b"@limit=" + raw + b" HISTORY #a", "BADTAG") for raw in (b"", b"0", b"101", b"-1", b"many")],
    *[
        (b"@mention=" + raw + b" SAY a x", "BADTAG")
        for raw in (b",", b"Bob", b"bob,", b"a+b", b"#a", b",".join([b"a"] * 17))
    ],
    (b"@mention=bob MSG bob x", "BADTAG"),
    (b"@with=all HISTORY #a", "BADTAG"),
    *[(b"REACT alice+bob:7-1 " + raw, "FIELDS") for raw in (b"", b"a b", b"a,b", b"x" * 33)],
    (b"EDIT alice+bob:7-1", "FIELDS"),
    (b"EDIT alice+bob:7-1 ", "FIELDS"),
    (b"EDIT alice+bob x", "BADID"),
    (b"@was=7-1 EDIT alice+bob:7-1 x", "BADID"),
    (b"@reply=7 MSG bob x", "BADID"),
    (b"@before=17 HISTORY #a", "BADID"),
    (b"@after=#a:x-1 HISTORY #a", "BADID"),
    (b"@device=My-Phone LOGIN alice", "BADNAME"),
    (b"@device LOGIN alice", "BADNAME"),
    *[(b"@esc MSG bob " + raw, "BADESCAPE") for raw in (rb"\t", b"a\\", rb"\x41", "\\é".encode())],
    # Bytes.
    *[
        (b"MSG bob " + raw, "BADUTF8")
        for raw in (b"\x80", b"\xc3", b"\xc3\x28", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80")
    ],
    (b"MSG bob a\xffb", "BADUTF8"),
    (b"\xfe\xff\0P", "NUL"),
    (b"@id=\xc3 PING", "BADUTF8"),
    (b"MSG bob a\0b", "NUL"),
    (b"PING\0", "NUL"),
    (b"\0", "NUL"),
    (b"MSG bob " + b"x" * MAX_LINE, "TOOLONG"),
]


def meaning(case: SynchronousTestCase, line: bytes) -> list[Command | str]:
    """What the lines of a stream are understood as."""
    return [_parsed(one) for one in fed(case, line, b"\r\n")]


def _parsed(line: bytes) -> Command | str:
    try:
        return MSG_SERVER_COMMANDS.parse(line)
    except ProtocolError as error:
        return error.word


def _refusal(case: SynchronousTestCase, line: bytes) -> Any:
    return case.assertRaises(ProtocolError, MSG_SERVER_COMMANDS.parse, line)


class SampleTests(SynchronousTestCase):
    def test_good(self) -> None:
        """Every line is the command that stands beside it, however it arrives."""
        for line, command in GOOD:
            self.assertEqual(meaning(self, line), [command], line)

    def test_bad(self) -> None:
        """Every line is refused with the word that stands beside it, and the connection goes on."""
        for line, word in BAD:
            self.assertEqual(meaning(self, line), [word], line)

    def test_complete(self) -> None:
        """The samples know every verb, every short name's verb, every tag and every word of the parser."""
        self.assertEqual({command.verb for _, command in GOOD}, set(VERBS))
        self.assertEqual(
            {tag for _, command in GOOD for tag in command.tags}, {tag for verb in VERBS for tag in verb.tag_rows}
        )
        words = {"BADUTF8", "NUL", "CONTROL", "TOOLONG", "UNKNOWN_VERB", "SERVER_VERB", "FIELDS", "BADTAG", "BADESCAPE"}
        self.assertEqual({word for _, word in BAD}, words | {"BADNAME", "BADID", "VERSION"})

    def test_after_overlong(self) -> None:
        """A line that was too long takes nothing with it but itself."""
        self.assertEqual(meaning(self, b"MSG bob " + b"x" * MAX_LINE + b"\nPING"), ["TOOLONG", said("SEND_PING")])


class RefusalTests(SynchronousTestCase):
    def test_hints(self) -> None:
        """A typo gets the nearest verb, what is near nothing gets none."""
        for typo, hint in [
            (b"SEND_MESAGE_P2P bob hi", "SEND_MESSAGE_P2P"),
            (b"PNIG", "PING"),
            (b"jion fishing", "JOIN"),
            (b"SEND_MESSAGE bob hi", "SEND_MESSAGE_P2P"),
            (b"SEND_MESSAGX bob hi", "SEND_MESSAGE"),
            (b"CONVERSATION", "CONVERSATIONS"),
            (b"QIUT", "QUIT"),
        ]:
            refusal = _refusal(self, typo)
            self.assertEqual(refusal.word, "UNKNOWN_VERB")
            self.assertIn(f"did you mean {hint}", refusal.text)
        for strange in (b"X", b"HTTP/1.1", b"GET / HTTP/1.1", b"", b"x" * MAX_LINE):
            self.assertEqual(_refusal(self, strange).text, WORDS["UNKNOWN_VERB"], strange)

    def test_blanks(self) -> None:
        """What looks like a space and is none is named, in a verb and in the fields after it, not in a text."""
        for line, word, character in [
            ("LOGIN\u00a0bob", "UNKNOWN_VERB", "U+00A0"),
            ("LOGIN\u3000bob", "UNKNOWN_VERB", "U+3000"),
            ("\u3000LOGIN bob", "UNKNOWN_VERB", "U+3000"),
            ("@id=1 \u200bPING", "UNKNOWN_VERB", "U+200B"),
            ("@id=1\tPING", "UNKNOWN_VERB", "a tab"),
            ("MSG bob\u00a0hello", "FIELDS", "U+00A0"),
            ("MSG bob\thello", "FIELDS", "a tab"),
            ("MSG bob\thello there", "BADNAME", "a tab"),
            ("MSG  bob hello", "FIELDS", "more than one space"),
            ("INVITE club\u3000bob", "FIELDS", "U+3000"),
            ("HISTORY #fishing\u3000", "BADID", "U+3000"),
        ]:
            refusal = _refusal(self, line.encode())
            self.assertEqual(refusal.word, word, line)
            self.assertIn(f"there is {'the character ' if 'U' in character else ''}{character} where", refusal.text)
        for line in ("MSG Bob a\tb\u00a0 c", "NOPE a\tb", "@id=1 NOPE\ta  b", "INVITE club"):
            self.assertNotIn("there is", _refusal(self, line.encode()).text, line)

    def test_verb_and_id(self) -> None:
        """The refusal knows the verb when there is one, and the command's id whether there is one or not."""
        for line, verb, mark in [
            (b"@id=7 MSG bob", b"SEND_MESSAGE_P2P", b"7"),
            (b"@id=7;cseq=x MSG bob hi", b"SEND_MESSAGE_P2P", b"7"),
            (b"@id=7 FOO", None, b"7"),
            (b"@id=7 ROUTE_X", None, b"7"),
            (b"MSG bob", b"SEND_MESSAGE_P2P", None),
            # What is no id is not repeated.
            (b"@id=" + b"x" * 65 + b" PING", b"SEND_PING", None),
            (b"@id PING", b"SEND_PING", None),
        ]:
            refusal = _refusal(self, line)
            self.assertIsInstance(refusal, BadCommand)
            self.assertEqual(refusal.verb and refusal.verb.name, verb, line)
            self.assertEqual(refusal.tags.get(b"id"), mark, line)

    def test_usage(self) -> None:
        """Wrong fields are answered with how to type it."""
        self.assertIn("MSG <account> <text>", _refusal(self, b"MSG bob").text)
        self.assertIn("LOGIN <account> [secret]", _refusal(self, b"LOGIN").text)

    def test_limits_told(self) -> None:
        """What is too long is answered with the limit."""
        self.assertEqual(_refusal(self, OVERLONG).extra, {"limit": MAX_LINE})
        self.assertEqual(_refusal(self, b"MSG bob " + b"x" * (MAX_TEXT + 1)).extra, {"limit": MAX_TEXT})


class LimitTests(SynchronousTestCase):
    def test_text(self) -> None:
        """A text may have as many bytes as the limit says, and not one more."""
        for letter in ("x", "é"):
            text = letter * (MAX_TEXT // len(letter.encode()))
            line = f"MSG bob {text}".encode()
            self.assertEqual(meaning(self, line), [said(P2P, b"bob", text=text)])
            self.assertEqual(meaning(self, line + b"x"), ["TEXTTOOLONG"])

    def test_echo(self) -> None:
        """An id has 1 to 64 bytes, counted without escapes."""
        for mark, written in ((b"x" * 64, b"x" * 64), (b" " * 64, rb"\s" * 64)):
            self.assertEqual(meaning(self, b"@id=%s PING" % written), [said("SEND_PING", id=mark)])
            self.assertEqual(meaning(self, b"@id=x%s PING" % written), ["BADTAG"])

    def test_invitation(self) -> None:
        """The code of an invitation has 1 to 64 bytes."""
        for length, wanted in ((64, said("CREATE_CLIENT", b"a", text="x", invite=b"c" * 64)), (65, "BADTAG")):
            self.assertEqual(meaning(self, b"@invite=%s SIGNUP a x" % (b"c" * length)), [wanted])

    def test_cseq(self) -> None:
        """A number has up to 15 digits."""
        self.assertEqual(meaning(self, b"@cseq=%d MSG bob x" % MAX_CSEQ), [said(P2P, b"bob", text="x", cseq=MAX_CSEQ)])
        self.assertEqual(meaning(self, b"@cseq=%d MSG bob x" % (MAX_CSEQ + 1)), ["BADTAG"])
        self.assertEqual(meaning(self, b"@cseq=%s MSG bob x" % (b"9" * 5000)), ["BADTAG"])

    def test_page(self) -> None:
        """A page of history has 1 to 100 messages."""
        self.assertEqual(meaning(self, b"@limit=100 HISTORY #a"), [said("REQ_HISTORY", b"#a", limit=100)])
        self.assertEqual(meaning(self, b"@limit=101 HISTORY #a"), ["BADTAG"])

    def test_page_of_conversations(self) -> None:
        """A page of conversations has 1 to 100 of them."""
        self.assertEqual(meaning(self, b"@limit=100 CONVERSATIONS"), [said("REQ_CONVERSATIONS", limit=100)])
        self.assertEqual(meaning(self, b"@limit=101 CONVERSATIONS"), ["BADTAG"])


class PropertyTests(SynchronousTestCase):
    @given(strategies.command_parts())
    def test_round_trip(self, parts: tuple[Verb, list[bytes], bytes, dict[bytes, bytes]]) -> None:
        """What is written as a command is read as that command."""
        verb, fields, text, tags = parts
        command = MSG_SERVER_COMMANDS.parse(strategies.to_line(*parts))
        self.assertEqual((command.verb, command.text, set(command.tags)), (verb, text, set(tags)))
        for one, raw, value in zip(verb.fields, fields, command.fields, strict=True):
            is_id = b":" in raw and one.name != "reaction"
            self.assertEqual(value, split_id(raw) if is_id else raw)
        for tag, value in command.tags.items():
            self.assertEqual(value, verb.tag_rows[tag].read(tags[tag]))

    @given(st.one_of(strategies.message_lines, strategies.ack_lines, strategies.streams))
    def test_short_way(self, line: bytes) -> None:
        """Plain messages and acknowledgements are understood at once, and what looks like one as the long way does."""

        def meant(parse: Callable[[bytes], Command]) -> object:
            try:
                return parse(line)
            except ProtocolError as error:
                return error.word

        self.assertEqual(meant(MSG_SERVER_COMMANDS.parse), meant(MSG_SERVER_COMMANDS.parse_any))

    @given(st.one_of(st.binary(), strategies.streams))
    def test_any_bytes(self, stream: bytes) -> None:
        """Any bytes give commands and refusals, and nothing else; of either port."""
        for line in fed(self, stream, b"\xff\xf0\n\n"):
            for table in (MSG_SERVER_COMMANDS, GATEWAY_COMMANDS):
                try:
                    command = table.parse(line)
                except ProtocolError as error:
                    self.assertIn(error.word, WORDS)
                    self.assertTrue(error.line(b"-").decode().isprintable())
                else:
                    self.assertIn(command.verb, table.verbs)
                    self.assertFalse(set(command.text) & {*range(9), *range(10, 32), 127})
                    self.assertFalse([char for char in command.text.decode() if "\x80" <= char <= "\x9f"])

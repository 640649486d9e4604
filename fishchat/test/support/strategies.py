"""Strategies of hypothesis: names, ids, texts, tags, lines, and bytes that are nearly valid."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from fishchat.features.accounts.rows import PRIVACIES
from fishchat.features.links.rows import CODE_BYTES, USES, YEAR
from fishchat.features.moderation.rows import ROLES
from fishchat.features.moderation.settings import SETTINGS
from fishchat.features.preferences.rows import SETTINGS as PREFERENCES
from fishchat.features.registry import VERBS
from fishchat.features.session.rows import ENDS, MECHANISMS, REASONS
from fishchat.features.watching.rows import STATES
from fishchat.model.names import DIGITS, NAME_LENGTH, message_id, notices, p2p, topic_conversation
from fishchat.protocols.fields import MAX_CSEQ, MENTIONED
from fishchat.protocols.lines import MAX_TEXT, format_tags
from fishchat.protocols.rows import Text, Verb

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789._-", min_size=1, max_size=NAME_LENGTH).map(str.encode)
#: Names of new accounts.
accounts = names.filter(lambda name: name != b"-")
conversations = st.one_of(st.builds(p2p, names, names), names.map(topic_conversation), names.map(notices))
codes = st.from_regex(rb"[A-Za-z0-9_-]{1,%d}" % CODE_BYTES, fullmatch=True)
numbers = st.integers(0, 10**DIGITS - 1)
ids = st.builds(message_id, conversations, numbers, numbers)

#: Any letters, including line ends.
free_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\r\n"))
#: Letters that a line may contain: no control character except TAB.
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t")).map(str.encode)
written_texts = texts.filter(bool)

#: Tags that features parse differently, by verb.
OWN_TAG_VALUES: dict[tuple[bytes, bytes], SearchStrategy[bytes]] = {
    (b"REQ_MEMBERS", b"after"): names,
    (b"REQ_DIRECTORY", b"after"): names,
    (b"REQ_BANNED", b"after"): names,
    (b"REQ_CONVERSATIONS", b"before"): st.builds(lambda *place: b"%d-%s" % place, numbers, conversations),
}
TAG_VALUES: dict[bytes, SearchStrategy[bytes]] = {
    b"id": free_texts.map(str.encode).filter(lambda value: 0 < len(value) <= 64),
    b"cseq": st.integers(0, MAX_CSEQ).map(lambda number: b"%d" % number),
    b"esc": st.just(b""),
    b"preview": st.just(b""),
    b"device": names,
    b"kind": st.sampled_from([b"open", b"approval", b"invitation"]),
    b"write": st.sampled_from([b"all", b"admins"]),
    b"history": st.sampled_from([b"joined", b"all"]),
    b"listed": st.just(b""),
    b"for": st.integers(1, YEAR).map(lambda seconds: b"%d" % seconds),
    b"uses": st.integers(1, USES).map(lambda number: b"%d" % number),
    b"approval": st.just(b""),
    b"before": ids,
    b"after": ids,
    b"invite": names,
    b"limit": st.integers(1, 100).map(lambda number: b"%d" % number),
    b"edited": ids,
    b"reply": ids,
    b"was": ids,
    b"with": st.just(b"ops"),
    b"mention": st.lists(names, max_size=MENTIONED).map(b",".join),
}
FIELD_VALUES: dict[str, SearchStrategy[bytes]] = {
    "account": names,
    "topic": names,
    "conversation": conversations,
    "named-conversation": st.one_of(conversations, names),
    "mark": st.one_of(ids, conversations, names),
    "id": ids,
    "message": ids,
    "reaction": st.one_of(
        st.sampled_from(["+1", "ok", "\u2764\ufe0f", "a\u200db"]), st.text("ab+;\\\u9c7c:", min_size=1, max_size=8)
    ).map(str.encode),
    "sums": st.sampled_from([b"-", b"+1:3,ok:1", b"a:b:7,\\::2"]),
    "sign": st.sampled_from([b"+", b"-"]),
    "version": st.just(b"1"),
    "device": names,
    "state": st.sampled_from(STATES),
    "since": numbers.map(lambda number: b"%d" % number),
    "mechanism": st.sampled_from(MECHANISMS),
    "from": names,
    "why": st.sampled_from(REASONS),
    "end": st.sampled_from(ENDS),
    "address": st.one_of(st.just(b"-"), st.integers(1, 65535).map(lambda port: b"127.0.0.1:%d" % port)),
    "within": st.integers(0, 10**6).map(lambda seconds: b"within=%d" % seconds),
    "first": numbers.map(lambda number: b"%d" % number),
    "last": numbers.map(lambda number: b"%d" % number),
    "date": st.dates().map(lambda one: one.isoformat().encode()),
    "time": st.times().map(lambda one: one.strftime("%H:%M").encode()),
    "zone": st.sampled_from([b"+0800", b"-0330", b"+0000"]),
    "privacy": st.sampled_from(PRIVACIES),
    "code": codes,
    "link": codes,
    "setting": st.sampled_from(sorted(PREFERENCES)),
    "topic-setting": st.sampled_from(sorted(SETTINGS)),
    "role": st.sampled_from(ROLES),
}


def tag_values(row: bytes, name: bytes) -> SearchStrategy[bytes]:
    """Return a strategy for the values of a row's tag."""
    return OWN_TAG_VALUES.get((row, name), TAG_VALUES[name])


@st.composite
def command_parts(draw: st.DrawFn) -> tuple[Verb, list[bytes], bytes, dict[bytes, bytes]]:
    """Draw a verb with valid fields, text and tags, all as in a line, tags unescaped."""
    verb = draw(st.sampled_from(VERBS))
    fields = [draw(FIELD_VALUES[one.name]) for one in verb.fields]
    wanted = {
        name: draw(OWN_TAG_VALUES.get((verb.name, name), TAG_VALUES[name]))
        for name in sorted(verb.tag_rows)
        if draw(st.booleans())
    }
    text = b""
    if verb.text is not Text.NONE:
        text = draw(written_texts if verb.text is Text.REQUIRED else texts)
        if b"esc" in wanted:
            text = text.replace(b"\\", rb"\\")
    return verb, fields, text, wanted


def to_line(verb: Verb, fields: list[bytes], text: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Write a command as a line."""
    return format_tags(tags) + b" ".join([verb.name, *fields, *([text] if text else [])])


_pieces = st.one_of(
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"\xff", b"\xff\xfa", b"\xff\xf0", b"\xff\xfb\x01", b"\xff\xff", b"\0", b" "]
    ),
    st.sampled_from([b"@", b";", b"=", b"\\", b":", b"+", b"#", b"-", b"id", b"esc", b"cseq", b"x" * 300, b"1"]),
    st.sampled_from([word for verb in VERBS for word in (verb.name, verb.alias) if word]),
    st.builds(lambda parts: to_line(*parts), command_parts()),
    st.binary(max_size=8),
)
#: A message, or nearly one: each part is right or just wrong.
message_lines = st.builds(
    lambda *parts: b"".join(parts),
    st.sampled_from(
        [b"", b"", b"@cseq=1 ", b"@cseq=0 ", b"@cseq=%d " % MAX_CSEQ, b"@cseq=%d " % (MAX_CSEQ + 1), b"@cseq= "]
    ),
    st.sampled_from([b"SEND_MESSAGE_P2P ", b"SEND_MESSAGE_TOPIC ", b"send_message_p2p ", b"MSG ", b"SEND_MESSAGE_P2P"]),
    st.one_of(names, st.sampled_from([b"", b"a" * 32, b"a" * 33, b"Bob", b"a+b", b"bob\n"])),
    st.sampled_from([b" ", b" ", b" ", b"", b"  ", b"\t"]),
    st.one_of(
        st.text("ab \t~é鱼\x7f\x01\x85\u202e\r").map(str.encode),
        st.sampled_from([b"x" * MAX_TEXT, b"x" * (MAX_TEXT + 1), b"x\n", b"\xff", b"a\0"]),
    ),
)
ack_lines = st.builds(
    lambda *parts: b"".join(parts),
    st.sampled_from([b"SEND_ACK ", b"SEND_ACK ", b"ACK ", b"SEND_ACK  ", b"@id=1 SEND_ACK "]),
    st.one_of(ids, ids, st.sampled_from([b"b+a:1-1", b"a+a:1-1", b"A+b:1-1", b"a+b+c:1-1", b"a:1-1", b"+b:1-1"])),
    st.sampled_from([b"", b"", b" ", b"x", b"0" * 15, b"\xd9\xa1"]),
)
#: Bytes similar enough to the protocol to get far into the parser.
streams = st.lists(_pieces, max_size=12).map(b"".join)

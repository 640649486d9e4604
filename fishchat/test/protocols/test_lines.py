"""From bytes to lines, tags and escapes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from fishchat.errors import ProtocolError
from fishchat.protocols.lines import MAX_LINE, OVERLONG, LineSplitter, escape, format_tags, parse_tags, unescape
from fishchat.test.support import strategies
from fishchat.test.support.chunks import cut, fed, lines_of

IAC, SB, SE, WILL, NOP = b"\xff", b"\xff\xfa", b"\xff\xf0", b"\xff\xfb", b"\xff\xf1"

SAMPLES: list[tuple[bytes, list[bytes]]] = [
    (b"PING\n", [b"PING"]),
    (b"PING\r\n", [b"PING"]),
    (b"a\r\nb\nc\r\n", [b"a", b"b", b"c"]),
    # Empty lines are nothing.
    (b"", []),
    (b"\n\r\n\n", []),
    (b"\n\na\r\n\r\n", [b"a"]),
    # After a line that ends with LF or CRLF: one CR belongs to the ending; what else there is of them is the line's, to
    # be stripped with other controls.
    (b"x\na\rb\r\n", [b"x", b"a\rb"]),
    (b"x\r\na\r\r\n", [b"x", b"a\r"]),
    (b"x\r\0\ra\n", [b"x", b"\ra"]),
    # After a line that ends with CR alone, each CR ends a line.
    (b"a\r", [b"a"]),
    (b"a\rb\r\n", [b"a", b"b"]),
    (b"a\r\r\n", [b"a"]),
    (b"\ra\n", [b"a"]),
    (b"a\rb\r\0c\nd\r", [b"a", b"b", b"c", b"d"]),
    (b"a\r\xff\xf1\rb\r", [b"a", b"b"]),
    # A TLS handshake is a line at once.
    (b"\x16\x03", [b"\x16\x03"]),
    (b"\x16\x03\n\x03\n", [b"\x16\x03", b"\x03"]),
    (b"a\n\x16\x03\n", [b"a", b"\x16\x03"]),
    # Blanks stay.
    (b"  a  b \t\n", [b"  a  b \t"]),
    # Enter on a telnet terminal.
    (b"PING\r\0HELP\r\0", [b"PING", b"HELP"]),
    # What stands in a line is not looked at here.
    (b"a\0b\n", [b"a\0b"]),
    (b"\xc3\x28\n", [b"\xc3\x28"]),
    ("鱼传尺素\n".encode(), ["鱼传尺素".encode()]),
]

TELNET: list[tuple[bytes, list[bytes]]] = [
    (WILL + b"\x01PING\r\n", [b"PING"]),
    (b"PI" + WILL + b"\x03NG\n", [b"PING"]),
    (b"PING" + b"\xff\xfd\x06\r\n", [b"PING"]),
    (b"PING\r" + NOP + b"\n", [b"PING"]),
    (NOP * 3 + b"\n", []),
    # No option has the byte of a line's end: what looks like one is no telnet, and the line is refused.
    (b"a" + WILL + b"\nb\n", [b"a\xff\xfb", b"b"]),
    (b"a" + WILL + b"\r\nb\n", [b"a\xff\xfb", b"b"]),
    # Ctrl+Z: SUSP, and DO TIMING-MARK.
    (b"\xff\xed\xff\xfd\x06PING\r\n", [b"PING"]),
    (b"a" + WILL + b"\xffb\n", [b"ab"]),
    # A subnegotiation holds anything up to IAC SE.
    (b"a" + SB + b"\x18\0xterm\n\r\0" + SE + b"b\n", [b"ab"]),
    (b"a" + SB + SE + b"b\n", [b"ab"]),
    (SB + b"\x1f\0P\0\x18" + SE + SB + b"\x18\0" + SE + b"PING\n", [b"PING"]),
    # A doubled IAC is telnet's way to write the byte 0xFF, which no text has.
    (b"a" + IAC + IAC + b"b\n", [b"ab"]),
    # Before another byte it begins nothing: it stays, so that the line is refused, and eats no newline.
    (b"a" + IAC + b"b\n", [b"a\xffb"]),
    (b"a" + IAC + b"\nb\n", [b"a\xff", b"b"]),
    (b"a" + IAC + b"\r\nb\n", [b"a\xff", b"b"]),
    # A subnegotiation that never ends takes nothing with it but its opening.
    (SB + b"x" * 300 + b"\nPING\n", [b"x" * 300, b"PING"]),
]


class SampleTests(SynchronousTestCase):
    def test_samples(self) -> None:
        """Both endings, anywhere."""
        for stream, lines in SAMPLES:
            self.assertEqual(fed(self, stream), lines, stream)

    def test_incomplete(self) -> None:
        """A line is a line when its end has come."""
        self.assertEqual(lines_of([b"PI", b"NG"]), [])
        self.assertEqual(lines_of([b"a\nPING\r"]), [b"a"])
        self.assertEqual(fed(self, b"PI", b"NG\n"), [b"PING"])

    @given(strategies.streams, st.lists(st.integers(0, 4000), max_size=8))
    def test_any_cutting(self, stream: bytes, places: list[int]) -> None:
        """However a stream is cut, it gives the same lines."""
        self.assertEqual(lines_of(cut(stream, places)), lines_of([stream]))

    @given(st.lists(strategies.written_texts))
    def test_lines_are_kept(self, texts: list[bytes]) -> None:
        """What is written as a line comes out as one."""
        self.assertEqual(lines_of([b"\r\n".join([*texts, b""])]), texts)

    def test_finish(self) -> None:
        """What the stream ends in is a line, without a telnet sequence that is not complete."""
        for stream, last in [
            (b"a\nb", [b"b"]),
            (b"a\nb\r", [b"b"]),
            (b"a\rb", [b"b"]),
            (b"a\r", []),
            (b"a\n", []),
            (b"a\n\r", []),
            (b"", []),
            (b"a" + SB + b"x", [b"a"]),
            (b"a" + IAC, [b"a"]),
            (b"x" * (MAX_LINE + 2), []),
        ]:
            splitter = LineSplitter()
            splitter.feed(stream)
            self.assertEqual((splitter.finish(), splitter.finish()), (last, []), stream)


class LimitTests(SynchronousTestCase):
    def test_line(self) -> None:
        """A line may be as long as the limit, whatever its ending; one byte more, and it is skipped."""
        fits = b"x" * MAX_LINE
        for ending in (b"\n", b"\r\n"):
            self.assertEqual(fed(self, fits + ending), [fits])
            self.assertEqual(fed(self, fits + b"x" + ending), [OVERLONG])
        self.assertEqual(fed(self, b"a\n" + fits + b"\r\r\n"), [b"a", OVERLONG])
        self.assertEqual(fed(self, b"a\r" + fits + b"\r\r\n"), [b"a", fits])

    def test_next_line(self) -> None:
        """The line after one that was too long is read again."""
        self.assertEqual(fed(self, b"x" * 3 * MAX_LINE + b"\r\nPING\r\n"), [OVERLONG, b"PING"])

    def test_overlong_ends_with_cr_nul(self) -> None:
        """A line that is too long ends with CR NUL as well, wherever it is cut: nothing behind it is lost."""
        self.assertEqual(fed(self, b"x" * (MAX_LINE + 1) + b"\r\0PING\r\0"), [OVERLONG, b"PING"])

    def test_without_end(self) -> None:
        """A line that never ends is refused once, when it passes the limit, and holds no memory."""
        piece = b"x" * MAX_LINE
        self.assertEqual(lines_of([piece]), [])
        self.assertEqual(lines_of([piece, b"x"]), [OVERLONG])
        self.assertEqual(lines_of([piece] * 100), [OVERLONG])
        self.assertEqual(lines_of([*[piece] * 100, b"\nPING\n"]), [OVERLONG, b"PING"])

    def test_tls_in_an_overlong_line(self) -> None:
        """A TLS handshake begins a connection, not the rest of a line that is skipped."""
        line = b"x" * (MAX_LINE + 1)
        self.assertEqual(lines_of([line, b"\x16\x03\n"]), [OVERLONG])

    def test_without_telnet(self) -> None:
        """What telnet says does not count."""
        line = b"x" * (MAX_LINE - 1)
        self.assertEqual(fed(self, line + WILL + b"\x01" + b"y\n"), [line + b"y"])


class TelnetTests(SynchronousTestCase):
    def test_samples(self) -> None:
        """Sequences are taken out wherever they stand, and however they are cut."""
        for stream, lines in TELNET:
            self.assertEqual(fed(self, stream), lines, stream)

    def test_incomplete(self) -> None:
        """What is not complete yet is waited for."""
        for opening, rest in [(IAC, b"\xf1"), (WILL, b"\x01"), (SB + b"abc", SE), (SB + b"abc\xff", b"\xf0")]:
            self.assertEqual(lines_of([b"PI" + opening]), [])
            self.assertEqual(lines_of([b"PI" + opening, rest + b"NG\n"]), [b"PING"], opening)

    def test_refusals(self) -> None:
        """A request for an option is refused: a telnet shows nothing after Ctrl+C until then."""
        splitter = LineSplitter()
        self.assertEqual(splitter.feed(b"PING\n"), [b"PING"])
        self.assertEqual(splitter.take_refusals(), b"")
        splitter.feed(b"\xff\xf4\xff\xfd")
        self.assertEqual(splitter.take_refusals(), b"")
        self.assertEqual(splitter.feed(b"\x06PING\n" + WILL + b"\x01\xff\xfc\x01\xff\xfe\x01"), [b"PING"])
        self.assertEqual(splitter.take_refusals(), b"\xff\xfc\x06\xff\xfe\x01")
        self.assertEqual(splitter.take_refusals(), b"")

    def test_subnegotiation_limit(self) -> None:
        """A subnegotiation of the limit's length is one; a longer one is text, whose end alone is telnet."""
        self.assertEqual(fed(self, SB + b"x" * 256 + SE + b"\n"), [])
        self.assertEqual(fed(self, SB + b"x" * 257 + SE + b"\n"), [b"x" * 257])

    def test_endless(self) -> None:
        """Openings without an end cannot fill the memory: lines come out all the same."""
        self.assertEqual(fed(self, SB * 300 + b"x" * 300, b"\nPING\n"), [b"x" * 300, b"PING"])


TAGS: list[tuple[bytes, dict[bytes, bytes] | None]] = [
    (b"id=1", {b"id": b"1"}),
    (b"esc", {b"esc": b""}),
    (b"esc=", {b"esc": b""}),
    (b"cseq=7;esc", {b"cseq": b"7", b"esc": b""}),
    (b"id=a=b=c", {b"id": b"a=b=c"}),
    # The last one counts.
    (b"id=1;id=2", {b"id": b"2"}),
    (b"a-b1=x", {b"a-b1": b"x"}),
    (rb"id=a\:b\sc\\d\re\nf", {b"id": b"a;b c\\d\re\nf"}),
    # Other escapes stand for the character, a backslash at the end for nothing.
    (rb"id=\a\=", {b"id": b"a="}),
    (b"id=x\\", {b"id": b"x"}),
    ("id=鱼".encode(), {b"id": "鱼".encode()}),
    # What is no tag.
    (b"", None),
    (b"=x", None),
    (b"id=1;", None),
    (b";id=1", None),
    (b"id=1;;esc", None),
    (b"ID=1", None),
    (b"1d=1", None),
    (b"-=1", None),
    (b"i_d=1", None),
    (b"i\xc3\xa9=1", None),
    (b"x" * 33 + b"-=1", None),
]


class TagTests(SynchronousTestCase):
    def test_samples(self) -> None:
        """Names, values, escapes; or BADTAG."""
        for raw, tags in TAGS:
            if tags is None:
                self.assertEqual(self.assertRaises(ProtocolError, parse_tags, raw).word, "BADTAG", raw)
            else:
                self.assertEqual(parse_tags(raw), tags, raw)

    @given(st.dictionaries(st.from_regex(rb"[a-z][a-z0-9-]{0,31}", fullmatch=True), strategies.free_texts))
    def test_round_trip(self, values: dict[bytes, str]) -> None:
        """What is written as tags is read as them, and keeps to one line and one word."""
        tags = {key: value.encode() for key, value in values.items()}
        written = format_tags(tags)
        self.assertFalse(set(b"\r\n") & set(written))
        if not tags:
            self.assertEqual(written, b"")
            return
        self.assertEqual((written[:1], written[-1:], written.count(b" ")), (b"@", b" ", 1))
        self.assertEqual(parse_tags(written[1:-1]), tags)


class EscapeTests(SynchronousTestCase):
    def test_samples(self) -> None:
        """Three escapes, and nothing else."""
        self.assertEqual(unescape(rb"a\nb\rc\\d\\n"), b"a\nb\rc\\d\\n")
        self.assertEqual(unescape(b"plain"), b"plain")
        for bad in (rb"\t", rb"\:", rb"\N", b"x\\", b"\\\\\\", b"\\\n", "\\é".encode()):
            self.assertEqual(self.assertRaises(ProtocolError, unescape, bad).word, "BADESCAPE", bad)

    @given(strategies.free_texts)
    def test_round_trip(self, text: str) -> None:
        """Any text goes through one line."""
        written = escape(text.encode())
        self.assertFalse(set(b"\r\n") & set(written))
        self.assertEqual(unescape(written), text.encode())

    @given(st.binary())
    def test_any_bytes(self, raw: bytes) -> None:
        """Every text to unescape is refused, or its meaning survives escaping and unescaping."""
        try:
            meant = unescape(raw)
        except ProtocolError:
            return
        self.assertEqual(unescape(escape(meant)), meant)

"""Every field and tag of every verb with values that are none: generated from the command table, over a real cluster.

They are refused before anything is done; what is taken out silently reaches nobody.
"""

from __future__ import annotations

from fishchat.features.registry import VERBS
from fishchat.protocols.lines import MAX_LINE, MAX_TEXT
from fishchat.protocols.rows import State, Text, Verb
from fishchat.test.support.client import Client
from fishchat.test.support.cluster import Cluster
from fishchat.test.support.matrix import (
    ACTED_ON,
    ANYTHING,
    CONTROLS,
    GOOD,
    WILDCARDS,
    MatrixCase,
    answer_to,
    authors,
    greeted,
    holding,
    line_of,
    tagged,
)
from fishchat.test.support.waiting import until

#: Tags by which other systems let somebody say who they are, or what only a server knows.
CLAIMS = [
    *("from", "sender", "account", "user", "name", "as", "to", "by", "on-behalf-of", "server", "admin", "role"),
    *("time", "seq", "epoch", "position", "session", "token", "msgid", "label", "version"),
]


def _around(good: str, bad: str) -> list[str]:
    return [bad, bad + good, good + bad, good[:1] + bad + good[1:]]


class Values(MatrixCase):
    """Every field and tag of every verb with values that are none."""

    words = "(FIELDS|BADNAME|BADID|BADTAG|BADESCAPE|VERSION|TEXTTOOLONG)"

    async def _client_in(self, cluster: Cluster, verb: Verb) -> Client:
        """One in a state that allows the verb: the value alone is wrong."""
        if State.ONLINE in verb.states:
            return await cluster.login("mallory")
        return await greeted(cluster)

    async def _each(self, cluster: Cluster, verb: Verb, lines: list[str]) -> None:
        client = await self._client_in(cluster, verb)
        await cluster.settled()
        self.reached.take()
        for line in lines:
            await self.refuses(cluster, client, verb, line, self.words)
        client.drop()
        await cluster.settled()

    async def test_fields(self) -> None:
        """Empty, missing, too many, too long, or with a wildcard in it: refused before anything is done."""
        cluster = await self.begin()
        tried = 0
        for verb in VERBS:
            lines = []
            for name in (one.name for one in verb.fields):
                good = GOOD[name]
                if name in ANYTHING:
                    lines += [line_of(verb, {name: value}) for value in ("x" * 33, "a,b", "a\u00a0b", "a\u200bb")]
                    lines.append(line_of(verb, {name: ""}, text=""))
                    continue
                bad = ["x" * 9 + good * 12, good + "é", good + "鱼"]
                bad += [value for letter in WILDCARDS for value in _around(good, letter)]
                lines += [line_of(verb, {name: value}) for value in bad]
                # An empty field, and one that is not there.
                lines.append(line_of(verb, {name: ""}, text=""))
            if verb.fields and verb.text is not Text.NONE:
                lines.append(line_of(verb, {verb.fields[0].name: ""}))
            if verb.fields:
                lines.append(verb.name.decode())
            if verb.text is Text.NONE:
                lines.append(line_of(verb) + " more")
            else:
                lines.append(line_of(verb, text="x" * (MAX_TEXT + 1)))
            if verb.text is Text.REQUIRED:
                lines += [line_of(verb, text="").rstrip(" "), line_of(verb, text="")]
            tried += len(lines)
            await self._each(cluster, verb, lines)
        self.assertGreater(tried, 700)

    async def test_tags(self) -> None:
        """Tags that the verb does not know, who says to be somebody by one, and values that its tags cannot have."""
        cluster = await self.begin()
        # What may hold anything, up to a length.
        free = (b"id", b"invite")
        everything = {tag for verb in VERBS for tag in verb.tag_rows}
        self.assertEqual(everything & {claim.encode() for claim in CLAIMS}, set())
        for verb in VERBS:
            line = line_of(verb)
            tags = [f"{tag.decode()}=1" for tag in sorted(everything - verb.tag_rows.keys())]
            tags += [f"{claim}=bob" for claim in CLAIMS]
            for tag in sorted(verb.tag_rows.keys() - {b"id"}):
                name = tag.decode()
                # A mention of nobody is one that the text does not make.
                empty = "A," if tag == b"mention" else "" if verb.tag_rows[tag].sample else "x"
                tags += [f"{name}={'x' * 65}", f"{name}={empty}"]
                if tag not in free:
                    tags += [f"{name}={letter}" for letter in WILDCARDS]
            await self._each(cluster, verb, [tagged(line, one) for one in tags])

    async def test_controls(self) -> None:
        """Control characters are taken out wherever they stand; no line that anybody hears has one."""
        cluster = await self.begin()
        bob = await cluster.login("bob", device="desk")
        heard: list[str] = []
        for verb in VERBS:
            if verb.name == b"QUIT":
                continue
            line = line_of(verb)
            for noisy in (
                "".join(CONTROLS).join(["", *line, ""]),
                line.replace(" ", f" {''.join(CONTROLS)} ", 1) if not verb.fields else line + "".join(CONTROLS),
            ):
                client = await self._client_in(cluster, verb)
                self.reached.take()
                heard.append(await answer_to(client, f"@id=m {noisy}", verb.free))
                self.assertEqual(self.reached.take()[:1], [verb.name], noisy)
                client.drop()
                await cluster.settled()
        await until(lambda: len(bob.lines) >= 3)
        self.assertGreater(len(heard), 60)
        self.assertEqual([said for said in [*heard, *bob.lines] if ACTED_ON.search(said)], [])
        stored = [entry[1][3] for entry in cluster.redis.command("XRANGE", "log:bob+mallory", "-", "+")]
        self.assertEqual({body.split(b" ", 4)[4].strip() for body in stored}, {b"some words"})
        self.assertEqual(authors(cluster.redis)["bob+mallory"], {"mallory"})

    async def test_lines(self) -> None:
        """NUL, bytes that are no UTF-8, and too long a line, whatever the verb: the connection goes on."""
        cluster = await self.begin()
        for verb in VERBS:
            client = await self._client_in(cluster, verb)
            await cluster.settled()
            before = holding(cluster.redis)
            self.reached.take()
            line = line_of(verb).encode()
            for bad, word in ((b"\0", "NUL"), (b"\xc0\xaf", "BADUTF8"), (b"\xed\xa0\x80", "BADUTF8")):
                client.send(line[:3] + bad + line[3:], line + bad)
                await client.expect(f"ERR - {word} …", f"ERR - {word} …")
            client.send(line + b" " * (MAX_LINE + 1 - len(line)))
            await client.expect(f"ERR - TOOLONG limit={MAX_LINE} …")
            self.assertEqual((self.reached.take(), holding(cluster.redis)), ([], before), verb.name)
            client.drop()
            await cluster.settled()

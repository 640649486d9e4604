"""The parts of ``doc/protocol.md`` that are printed from the tables. No I/O but in ``main``.

``python -m fishchat.protocols.reference`` writes them into the page; a test compares it with what they are now.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fishchat.errors import WORDS
from fishchat.protocols.fields import MAX_CSEQ, MECHANISMS, TAGS
from fishchat.protocols.state import TRANSITIONS
from fishchat.protocols.verbs import GATEWAY_VERBS, MSG_SERVER_VERBS, State, Text, Verb

PAGE = Path(__file__).parents[2] / "doc" / "protocol.md"

#: Tag → what it says. A tag of the table that is missing here is an error.
TAG_HELP = {
    b"id": "1 to 64 bytes that are repeated on every line of the reply",
    b"cseq": f"the message's number, 0 to {MAX_CSEQ}: see [Numbering](#numbering)",
    b"esc": "no value; the text holds escapes: see [Escapes](#escapes)",
    b"device": "a name; `main` when absent",
    b"kind": "`open` (when absent) or `invitation`",
    b"invite": "the code of an invitation",
    b"before": "a message id; only what stands before it",
    b"after": "a message id; only what stands after it",
    b"limit": "1 to 100 messages; 50 when absent",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def words() -> str:
    """What may stand behind ``ERR VERB``."""
    return table(("Word", "What it means, and what to do"), ((f"`{word}`", text) for word, text in WORDS.items()))


def states() -> str:
    """The life of a connection: every state, and what leads from it where."""
    drawn = []
    for state in State:
        edges = [(event.value, to.value) for (at, event), to in TRANSITIONS.items() if at is state and to is not state]
        width = max((len(event) for event, _ in edges), default=0)
        if not edges:
            drawn.append(f"{state.value}: the end")
        for number, (event, to) in enumerate(edges):
            first, last = number == 0, number == len(edges) - 1
            joint = "─" if first and last else "┬" if first else "└" if last else "├"
            lead = f"{state.value} ─" if first else " " * (len(state.value) + 2)
            drawn.append(f"{lead}{joint}─ {event} {'─' * (width - len(event))}─▶ {to}")
        drawn.append("")
    return "```text\n" + "\n".join(drawn).rstrip() + "\n```"


def permissions() -> str:
    """Which verb is allowed in which state."""
    columns = [state for state in State if state is not State.CLOSING]
    rows = [
        (f"`{verb.name.decode()}`", *("yes" if state in verb.states else "" for state in columns))
        for verb in MSG_SERVER_VERBS
    ]
    return table(("Verb", *(state.value for state in columns)), rows)


def tags() -> str:
    """Every tag, and the verbs that know it."""
    rows = []
    for tag in TAGS:
        verbs = [verb for verb in MSG_SERVER_VERBS if tag in verb.tags]
        where = "all" if len(verbs) == len(MSG_SERVER_VERBS) else ", ".join(f"`{verb.name.decode()}`" for verb in verbs)
        rows.append((f"`@{tag.decode()}`", TAG_HELP[tag], where))
    return table(("Tag", "What it says", "Verbs"), rows)


def commands(verbs: Iterable[Verb]) -> str:
    """The reference: one item a verb."""
    return "\n".join(_command(verb) for verb in verbs)


def _command(verb: Verb) -> str:
    lines = [f"- `{verb.usage}` {verb.help}."]
    more = [f"Reply: {_code(verb.reply)}."]
    if verb.alias:
        more.insert(0, f"Short: `{verb.alias.decode()}`.")
    known = [tag for tag in TAGS if tag in verb.tags and tag != b"id"]
    if known:
        more.append("Tags: " + ", ".join(f"`@{tag.decode()}`" for tag in known) + ".")
    return "\n".join([*lines, "  " + " ".join(more)])


def _code(reply: str) -> str:
    """The reply with its lines as code; the few words in between stay words."""
    if reply[:1].islower():
        return reply
    return re.sub(r"[A-Z][A-Z_0-9]+[^,…]*[^,… ]", lambda found: f"`{found[0]}`", reply)


def grammar(verbs: Iterable[Verb] = (*MSG_SERVER_VERBS, *GATEWAY_VERBS)) -> str:
    """The commands in ABNF (RFC 5234), in the terms that the page defines by hand."""
    rules = {verb.name.decode().lower().replace("_", "-"): verb for verb in verbs}
    width = max(map(len, rules))
    lines = [f"{'command':{width}} = {_wrapped(list(rules), width)}"]
    lines += [f"{name:{width}} = {_body(verb)}" for name, verb in rules.items()]
    return "```abnf\n" + "\n".join(lines) + "\n```"


def _wrapped(names: list[str], width: int) -> str:
    rows = [" / ".join(names[start : start + 3]) for start in range(0, len(names), 3)]
    return f"\n{'':{width}} / ".join(rows)


def _body(verb: Verb) -> str:
    words = [f'"{word.decode()}"' for word in (verb.name, verb.alias) if word]
    start = words[0] if len(words) == 1 else f"( {' / '.join(words)} )"
    if verb.text is not Text.NONE:
        fields = [f"SP {_term(name)}" for name in verb.fields]
        return " ".join([start, *fields, "SP text" if verb.text is Text.REQUIRED else "[ SP [ text ] ]"])
    if not verb.fields:
        return f"{start} [ SP *WSP ]"
    return " ".join([start, "SP *WSP", " 1*WSP ".join(map(_term, verb.fields)), "*WSP"])


def _term(field: str) -> str:
    return _TERMS.get(field, field)


_TERMS = {
    "id": "message-id",
    "version": '"1"',
    "device": "name",
    "mechanism": "( " + " / ".join(f'"{one.decode()}"' for one in MECHANISMS) + " )",
    "privacy": '( "everyone" / "contacts" )',
}


#: Mark on the page → what stands between it and its end.
PARTS: dict[str, Callable[[], str]] = {
    "states": states,
    "permissions": permissions,
    "tags": tags,
    "words": words,
    "msg_server verbs": lambda: commands(MSG_SERVER_VERBS),
    "gateway verbs": lambda: commands(verb for verb in GATEWAY_VERBS if verb not in MSG_SERVER_VERBS),
    "grammar": grammar,
}


def fill(page: str) -> str:
    """``page`` with every part as it is now. Raises ValueError when one has no marks on the page."""
    for name, part in PARTS.items():
        begin, end = f"<!-- generated: {name} -->\n", f"\n<!-- end: {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, behind = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"no marks for {name}")
        page = before + begin + part() + end + behind
    return page


def main(path: Path = PAGE) -> None:
    """Write the parts into the page at ``path``."""
    path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

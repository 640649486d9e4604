"""Rows as text for people: tables, lists of commands, the grammar. Pure but for ``__main__``.

``python -m fishchat.services.reference`` writes them into the pages; ``python -m fishchat.protocols.reference`` is its
older name.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterable, Sequence

from fishchat.errors import WORDS
from fishchat.protocols.rows import Push, Row, State, Text, Verb
from fishchat.protocols.state import TRANSITIONS


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def words() -> str:
    """The words that may follow ``ERR VERB``."""
    return table(("Word", "What it means, and what to do"), ((f"`{word}`", text) for word, text in WORDS.items()))


def states() -> str:
    """The life of a connection: every state, and which event leads from it where."""
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


def permissions(verbs: Iterable[Verb]) -> str:
    """Which verb is allowed in which state."""
    columns = [state for state in State if state is not State.CLOSING]
    rows = [[f"`{verb.name.decode()}`", *_marks(verb, columns)] for verb in verbs]
    return table(("Verb", *(state.value for state in columns)), rows)


def _marks(verb: Verb, columns: Iterable[State]) -> list[str]:
    return ["yes" if state in verb.states else "" for state in columns]


def tags(verbs: Sequence[Verb]) -> str:
    """Return a table of the tags and the verbs that know them; a name with several meanings has a row for each."""
    takers: dict[bytes, dict[str, list[Verb]]] = {}
    for verb in verbs:
        for tag in verb.tags:
            takers.setdefault(tag.name, {}).setdefault(tag.help, []).append(verb)
    rows = []
    for name, meanings in takers.items():
        for meaning, known in meanings.items():
            where = "all" if len(known) == len(verbs) else ", ".join(f"`{verb.name.decode()}`" for verb in known)
            rows.append((f"`@{name.decode()}`", meaning, where))
    return table(("Tag", "Meaning", "Verbs"), rows)


def commands(verbs: Iterable[Verb]) -> str:
    """A list with an item for each verb."""
    return "\n".join(_command(verb) for verb in verbs)


def _command(verb: Verb) -> str:
    more = [f"Reply: {_code(verb.reply)}."]
    if verb.alias:
        more.insert(0, f"Short: `{verb.alias.decode()}`.")
    # Every verb takes the first one.
    if known := [tag.name.decode() for tag in verb.tags[1:]]:
        more.append("Tags: " + ", ".join(f"`@{tag}`" for tag in known) + ".")
    return f"- `{verb.usage}` {verb.help}.\n  {' '.join(more)}"


def _code(reply: str) -> str:
    """Return the reply with its lines as code; the few words in between stay words."""
    if reply[:1].islower():
        return reply
    return re.sub(r"[A-Z][A-Z_0-9]+(?:[^,…]|,(?=\S))*[^,… ]", lambda found: f"`{found[0]}`", reply)


def pushes(rows: Iterable[Push]) -> str:
    """Every push and its meaning."""
    return table(("Push", "Meaning"), ((f"`{push.usage}`", push.help) for push in rows))


def grammar(verbs: Iterable[Verb], pushes: Iterable[Push]) -> str:
    """Commands and pushes in ABNF (RFC 5234), in the terms that the page defines by hand."""
    said = {_rule(verb): verb for verb in verbs}
    told = {_rule(push): push for push in pushes}
    width = max(map(len, [*said, *told]))
    lines = []
    if said:
        lines.append(f"{'command':{width}} = {_wrapped(list(said), width)}")
        lines += [f"{name:{width}} = {_body(verb)}" for name, verb in said.items()]
    if said and told:
        lines.append("")
    if told:
        lines.append(f"{'push':{width}} = {_wrapped(list(told), width)}")
        lines += [f"{name:{width}} = {_fixed(push)}" for name, push in told.items()]
    return "```abnf\n" + "\n".join(lines) + "\n```"


def _rule(row: Row) -> str:
    return row.name.decode().lower().replace("_", "-")


def _wrapped(names: list[str], width: int) -> str:
    rows = [" / ".join(names[start : start + 3]) for start in range(0, len(names), 3)]
    return f"\n{'':{width}} / ".join(rows)


def _body(verb: Verb) -> str:
    """A command: blanks around its fields do not matter where no text follows."""
    if verb.text is not Text.NONE:
        return _fixed(verb)
    if not verb.fields:
        return f"{_start(verb)} *WSP"
    return " ".join([_start(verb), "1*WSP", " 1*WSP ".join(_terms(verb)), "*WSP"])


def _fixed(row: Row) -> str:
    """A row with exactly one blank before each field and before the text; the one after a verb may be a tab."""
    parts = [f"SP {term}" for term in _terms(row)]
    if row.text is not Text.NONE:
        parts.append("SP text" if row.text is Text.REQUIRED else "[ SP [ text ] ]")
    rest = " ".join(parts)
    if isinstance(row, Verb):
        rest = rest.replace("SP", "WSP", 1)
    return f"{_start(row)} {rest}" if rest else _start(row)


def _start(row: Row) -> str:
    names = [f'"{word.decode()}"' for word in (row.words if isinstance(row, Verb) else (row.name,))]
    return names[0] if len(names) == 1 else f"( {' / '.join(names)} )"


def _terms(row: Row) -> list[str]:
    return [field.grammar or field.name for field in row.fields]


if __name__ == "__main__":
    runpy.run_module("fishchat.services.reference", run_name="__main__")

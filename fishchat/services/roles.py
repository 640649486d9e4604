"""The roles' modules, by the table in ``fishchat.config.roles``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from twisted.application.service import IService, ServiceMaker

from fishchat.config import roles
from fishchat.config.roles import Role

if TYPE_CHECKING:
    from fishchat.services.role import Parts

#: All roles in one process.
ALL = ServiceMaker("FishChat", "fishchat.services.launch.all_roles", "All roles in one process", "fishchat")


def build(role: Role, parts: Parts) -> Sequence[IService]:
    """Return the services of one role, in the order of their start."""
    services: Sequence[IService] = import_module(role.module).build(parts)
    return services


def plugins() -> dict[str, ServiceMaker]:
    """Return the twistd plugins by name. The modules are imported when a plugin is run."""
    made = {
        role.name: ServiceMaker(f"FishChat {role.name}", role.module, role.summary, role.plugin) for role in roles.ROLES
    }
    return {**made, "all_roles": ALL}

"""The manager: ends sessions of dead msg_servers, removes old messages, finishes dismissals and deletions, counts."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.application.service import IService

from fishchat.services.manager.census import Census
from fishchat.services.manager.dismissals import Dismissals
from fishchat.services.manager.erasures import Erasures
from fishchat.services.manager.reaper import Reaper
from fishchat.services.manager.retention import AuditTrimmer, Trimmer
from fishchat.services.role import Parts
from fishchat.services.running.heartbeat import Load
from fishchat.storage.script import script


def build(parts: Parts) -> Sequence[IService]:
    """Return the services of the manager. Two managers do no harm: every step is atomic in the store."""
    names = ("servers/reap", "logs/survey", "logs/trim", "topics/release", "audit/append", "reports/trim")
    erasing = ("accounts/erase", "accounts/erase_requests", "accounts/erase_operations", "accounts/erase_conversation", "accounts/finish_erase")
    store = parts.store([script(name) for name in (*names, *erasing)])
    reaper = Reaper(store, parts.clock)
    trimmer = Trimmer(store, parts.config.retention, parts.clock)
    audit = AuditTrimmer(store, parts.config.retention, parts.clock)
    dismissals = Dismissals(store, parts.bus, parts.clock)
    erasures = Erasures(store, parts.clock)
    census = Census(parts.bus)

    def load() -> Load:
        return Load(figures={**census.figures(), "reaped": reaper.ended, "trimmed": trimmer.removed})

    return [reaper, trimmer, audit, dismissals, erasures, census, parts.heartbeat("manager", load)]

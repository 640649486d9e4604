"""The manager: ends sessions of dead msg_servers, removes and scrubs messages, finishes dismissals and deletions."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.application.service import IService

from fishchat.services.manager.census import Census
from fishchat.services.manager.dismissals import Dismissals
from fishchat.services.manager.erasures import Erasures
from fishchat.services.manager.nightly_scrub import NightlyScrub
from fishchat.services.manager.reaper import Reaper
from fishchat.services.manager.retention import AuditTrimmer, Trimmer
from fishchat.services.role import Parts
from fishchat.services.running.heartbeat import Load
from fishchat.storage.script import script
from fishchat.storage.scrub.calls import SCRIPTS


def build(parts: Parts) -> Sequence[IService]:
    """Return the services of the manager. Two managers do no harm: every step is atomic in the store."""
    names = ("servers/reap", "logs/survey", "logs/trim", "topics/release", "audit/append", "reports/trim")
    erasing = ("", "_requests", "_operations", "_conversation")
    steps = [*(f"accounts/erase{step}" for step in erasing), "accounts/finish_erase"]
    store = parts.store([*(script(name) for name in (*names, *steps)), *SCRIPTS])
    reaper = Reaper(store, parts.clock)
    trimmer = Trimmer(store, parts.config.retention, parts.clock)
    audit = AuditTrimmer(store, parts.config.retention, parts.clock)
    dismissals = Dismissals(store, parts.bus, parts.clock)
    erasures = Erasures(store, parts.clock)
    scrub = NightlyScrub(store, parts.config, parts.clock)
    census = Census(parts.bus)

    def load() -> Load:
        counts = {"reaped": reaper.ended, "trimmed": trimmer.removed}
        return Load(figures={**census.figures(), **counts, **scrub.figures()})

    return [reaper, trimmer, audit, dismissals, erasures, scrub, census, parts.heartbeat("manager", load)]

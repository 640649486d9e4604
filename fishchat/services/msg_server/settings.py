"""Settings of the parts of a msg_server, from the configuration."""

from __future__ import annotations

from fishchat.config.schema import Config, Limits
from fishchat.errors import Refusal
from fishchat.features.engine import Budget, Settings
from fishchat.model.operations import Times
from fishchat.protocols.replies import error_line
from fishchat.protocols.state import is_unauthenticated
from fishchat.services.msg_server.sessions.authentication import costs_of
from fishchat.services.msg_server.sessions.session import Session
from fishchat.services.net.connection_limits import Bounds
from fishchat.services.net.keepalive import SILENT, Keepalive
from fishchat.storage.packing import days_in_ms, privacy_of

#: Password changes of one account at once, and the seconds until one more is allowed.
CHANGES, CHANGE_SECONDS = 5, 60.0


def guess_budgets(limits: Limits) -> tuple[Budget, Budget]:
    """Return the budgets of wrong secrets of an account and of an address, which are full again after the same time."""
    most = max(limits.guesses, limits.guesses_per_address)
    each = limits.guess_seconds * limits.guesses / most
    return _budget(limits, limits.guesses, limits.guess_seconds), _budget(limits, most, each)


def _budget(limits: Limits, most: int, seconds: float) -> Budget:
    return Budget(most if limits.flood else 0, max(1, int(seconds * 1000)))


def feature_settings(config: Config) -> Settings:
    """Return the settings that features need."""
    accounts, limits, messages = config.accounts, config.limits, config.messages
    return Settings(
        accounts.mode,
        privacy_of(accounts.privacy),
        costs_of(accounts),
        days_in_ms(accounts.token_days),
        limits.devices,
        _budget(limits, limits.signups, limits.signup_seconds),
        guess_budgets(limits)[1],
        _budget(limits, CHANGES, CHANGE_SECONDS),
        limits.topic_members,
        limits.topics_per_account,
        limits.join_notices,
        Times(_ms(messages.edit_seconds), _ms(messages.recall_seconds), messages.versions != "nobody"),
        messages.versions,
    )


def _ms(seconds: int) -> int:
    return seconds * 1000 if seconds > 0 else seconds


def bounds(config: Config) -> Bounds:
    """Return the connection limits of a msg_server; without ``limits.flood`` only its capacity."""
    limits, capacity = config.limits, config.msg_server.capacity
    if not limits.flood:
        return Bounds(capacity)
    return Bounds(capacity, limits.per_address, limits.before_login, limits.strangers_per_address, limits.accepts)


def keepalive(login_seconds: float) -> Keepalive[Session]:
    """Return the keepalive of a msg_server: pings, except that an unauthenticated client has a time limit instead."""
    late_line = error_line(Refusal("STATE", "login timed out; connect again", limit=f"{login_seconds:g}s"), None, {})

    def late(session: Session) -> None:
        session.say_goodbye(late_line)

    def gone(session: Session) -> None:
        session.say_goodbye(SILENT)

    return Keepalive(
        login_seconds,
        late,
        gone,
        is_limited=lambda session: is_unauthenticated(session.state),
        is_pinged=lambda session: not is_unauthenticated(session.state),
    )

"""Every script of the package; and old names, to be deleted when ``msg_server/sessions`` uses the typed calls."""

from __future__ import annotations

from fishchat.storage.script import Script, every_script, script

ALL: tuple[Script, ...] = tuple(every_script())

LOGIN, LOGOUT = script("session/login"), script("session/logout")
ATTEMPT, SPARE = script("session/begin_guess"), script("session/refund_guess")
ENROL, SECRET, HARDEN = script("accounts/create"), script("accounts/set_password"), script("accounts/rehash")

"""The tests. One profile for all properties: the same examples in every run, and no deadline, since machines differ."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("fishchat", deadline=None, derandomize=True, database=None)
settings.load_profile("fishchat")

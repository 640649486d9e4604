"""Old names, for modules that do not use the new ones yet. To be deleted."""

from fishchat.storage.ask import refusal_of
from fishchat.storage.decoy import decoy_key
from fishchat.storage.packing import days_in_ms, privacy_of

__all__ = ["days_in_ms", "decoy_key", "privacy_of", "refusal_of"]

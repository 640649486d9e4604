"""FishChat: an instant-messaging server of five roles around Redis. ``doc/architecture.md`` is the way in."""

__version__ = "0.1.0"

"""The faults of a running FishChat: a coroutine for each, in a module for each kind."""

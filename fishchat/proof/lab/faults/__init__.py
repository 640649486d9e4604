"""What is done to a running FishChat: a coroutine for each fault, in a module for each kind."""

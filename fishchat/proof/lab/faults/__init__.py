"""What is done to a running FishChat, one coroutine for each fault, in one module for each kind."""

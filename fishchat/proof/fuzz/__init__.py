"""Fuzzing: functions that take any bytes and raise when something that is promised for all of them does not hold.

A target is such a function; ``targets`` lists them by name. The tests give them the inputs that are kept in
``fuzz/corpus`` and what hypothesis thinks of; ``python -m fishchat.proof.fuzz TARGET`` looks for new inputs, led by
which lines of the code they reach. Nothing here opens a socket, reads a clock or needs a store.
"""

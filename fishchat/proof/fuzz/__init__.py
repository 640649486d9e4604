"""Fuzzing: functions that take any bytes and raise when a property that holds for all inputs is violated.

Such a function is a target; ``targets`` lists them by name. The tests run each of them on the kept inputs
(``corpus/TARGET.txt``, see ``inputs``) and on inputs from hypothesis. ``python -m fishchat.proof.fuzz TARGET`` searches
for new inputs, guided by code coverage. Nothing here opens a socket, reads a clock or needs a store.
"""

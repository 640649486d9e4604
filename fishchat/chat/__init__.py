"""The chat for people in a terminal: ``fishchat chat``.

``core`` and the modules that it imports know no toolkit. ``plain`` and ``screens`` show them: the one in
lines, the other in panes.
"""

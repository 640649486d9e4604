"""Everything that clients can talk about, a package for each subject.

``registry`` finds the packages; the engine knows a feature only through it. A feature holds its verbs and pushes
(``rows``), its store calls and their scripts (``calls``, ``*.lua``), what the server does for each verb
(``handlers``), and what the client library makes of it (``client``). ``rows`` and ``client`` import neither
Twisted nor the store, and no feature imports another one. ``doc/adding-a-feature.md`` makes a new one.
"""

"""The features: a package for every subject that clients can talk about.

``registry`` finds the packages; the engine knows a feature only through it. A feature contains its verbs and pushes
(``rows``), its store calls and their scripts (``calls``, ``*.lua``), the handlers of its verbs (``handlers``), and
its part of the client library (``client``). ``rows`` and ``client`` import neither
Twisted nor the store, and no feature imports another one. ``doc/adding-a-feature.md`` makes a new one.
"""

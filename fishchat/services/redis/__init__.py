"""The Redis of a configuration: ``access`` connects to it; ``service`` runs the embedded one, ``visit`` for a moment.

``program`` says which program that is and with which settings, ``probe`` asks it whether it is ready, ``credentials``
reads the files for TLS.
"""

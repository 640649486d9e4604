"""The fault lab: a real FishChat, clients that keep a journal, faults from a seed, and checkers that read the journal.

It is part of the package, so that ``fishchat lab`` runs on any machine. It uses the product as people do, by its
commands, its ports and its client library; the product does not import it.
"""

"""The fault lab: a real FishChat, clients that keep a journal, faults by a seed, and checkers that read the journal.

It belongs to the product: ``fishchat lab`` runs on anybody's machine. It uses the product as people do, through its
commands, its ports and its client library; nothing of the product imports it.
"""

"""Measuring: ``fishchat bench`` runs known work against a FishChat and says what it cost.

The clients run in a process of their own (``generator``), so that their work is not counted as the server's. What is
under test is a real ``fishchat up`` on free ports of this machine, with data of its own, or one that runs already.
It uses the product as people do; nothing of the product imports it.
"""

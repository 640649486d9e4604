"""Measuring: ``fishchat bench`` runs known workloads against a FishChat and shows what they cost.

The clients run in a process of their own (``generator``), so that their work is not counted as the server's. What is
measured is a real ``fishchat up`` on free ports of this machine with data of its own, or one that already runs. It uses
the product as people do; the product does not import it.
"""

"""Steps from one format of the store to the next, a script for each; ``fishchat/storage/format.py`` runs them."""

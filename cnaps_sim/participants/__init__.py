"""Participants: what banks do on their own side of the network.

`bank` is a bank's front end: it writes the messages of its payments and orders, and reads what the centre answers.
"""

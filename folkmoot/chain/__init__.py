"""Participants on a chain, simulated: all in one compiled loop, or each a state machine on a faulty network."""

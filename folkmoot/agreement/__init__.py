"""Validators as state machines: messages in, effects out; no sockets, no clock."""

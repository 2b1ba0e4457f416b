"""A search for adversaries: liars that are programs drawn at random. See docs/adversaries.md and `programs.py`."""

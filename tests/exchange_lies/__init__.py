"""A search over lies in exchanges: see `__main__`."""

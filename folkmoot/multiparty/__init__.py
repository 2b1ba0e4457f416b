"""Learning together with each party's own model, on a chain (BEMA)."""

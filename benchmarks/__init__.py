"""How fast the compiled loop is, and how its cost grows: `python -m benchmarks` (see README.md here)."""

"""Private comparison: is my count larger than yours, and not a bit more is said."""

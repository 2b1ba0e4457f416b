"""Experiment files: TOML in, checked jobs out; and the experiments that come with the package."""

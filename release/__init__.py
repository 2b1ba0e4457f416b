"""What is done for a release: the package built and tried, and the constraints of each extra."""

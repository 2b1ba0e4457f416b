"""The outside: the only package that opens sockets or reads a clock."""

"""Numbers with their nouns, as commands, errors and reports write them."""


def plural(count: int, noun: str) -> str:
    """1 round; 10,000 rounds."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

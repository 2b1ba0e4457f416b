"""Its place makes `made_digits` importable in the folders of the rooms."""

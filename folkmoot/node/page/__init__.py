"""The operator's page: its files, and the text it begins with."""

"""BC-UCB: a bandit on a chain among participants of whom some lie. Rules of a round, participants, both games."""

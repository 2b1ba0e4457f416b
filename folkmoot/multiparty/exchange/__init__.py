"""Learning from samples that others reveal, behind a gate: candidates take the place of models only if judges agree."""

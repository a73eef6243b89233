"""A simulated world: the same agents on virtual time, from one seed."""

"""Network address translation of a host: which flows there are, and what their packets become."""

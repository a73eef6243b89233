"""The IP stack of a simulated sandbox, without I/O."""

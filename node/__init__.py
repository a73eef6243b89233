"""One simulated Docker host: its agent, and everything that the agent needs."""

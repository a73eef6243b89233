"""Objects of the Engine API exactly as engine 28.2.2 writes them (API 1.50), one subject a file."""

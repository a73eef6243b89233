"""curl: requests over HTTP, with its words and its exit codes (curl(1))."""

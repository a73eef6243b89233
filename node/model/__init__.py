"""What the parts of a node say to each other: frozen records and the names they go by."""

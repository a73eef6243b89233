"""Network drivers after the Container Network Model."""

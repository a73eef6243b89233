"""Failures that real Docker swarms had, each as a scenario that fails, and the same one mended."""

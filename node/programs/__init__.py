"""What runs in simulated containers, and the catalogue of images that name it."""

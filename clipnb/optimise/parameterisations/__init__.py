"""Parameterisations: the numbers of an image that gradient ascent changes."""

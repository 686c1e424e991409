"""Panels for notebooks: they bind controls to the package's engines, and hold nothing else."""

"""Kinds of captioners, and what they have in common; `models.captioner` loads them by name."""

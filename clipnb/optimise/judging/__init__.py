"""Judging pictures: encoders that look on while one is made, and rates of finished ones."""

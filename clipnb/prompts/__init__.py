"""Prompts wherever they live, in whatever dialect: read, taken apart, edited, written. Needs no torch."""

"""Modes: ways to make a prompt of a caption and the label tables."""

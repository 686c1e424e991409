"""Graphs as files for other programs, written some thousand pairs at a time."""

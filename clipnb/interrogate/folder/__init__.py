"""Folder runs: a row for each image, resumable."""

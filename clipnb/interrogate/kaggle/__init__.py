"""Kaggle submissions: the image-to-prompts recipe."""

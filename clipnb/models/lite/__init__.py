"""`lite`, the embedded encoder that needs no download."""

"""The tag panel."""

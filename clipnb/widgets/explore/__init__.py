"""The panel of variants."""

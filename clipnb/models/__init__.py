"""Models: one layer under all features. Everything above sees only the contract in `encoder`."""

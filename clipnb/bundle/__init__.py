"""Everything that a machine without internet needs, in one folder: wheels, weights, label tables, notebooks."""

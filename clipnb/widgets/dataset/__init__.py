"""The dataset panel."""

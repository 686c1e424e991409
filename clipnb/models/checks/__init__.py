"""Whether a model may be used, and is what it says: its folder is data, and its weights see as they were trained to."""

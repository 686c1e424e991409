"""From prompts to numbers of tags, how often each occurs, and which stand together: arrays, never Python objects."""

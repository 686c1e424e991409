"""Tags of prompts: read, counted, paired into a graph, drawn and exported. Needs no torch."""

"""Label tables: lists of phrases, embedded once and ranked exactly."""

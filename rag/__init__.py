"""The retrieval chain: evidence, answers, citations and their checks."""

"""Grounding evals: datasets, metrics, runs and reports."""

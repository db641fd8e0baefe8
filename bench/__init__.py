"""Measurements that are no evals of answers: page splitting, stories, passages, ingest speed; one command each."""

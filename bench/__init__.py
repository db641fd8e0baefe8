"""Measurements that are no evals of answers: page splitting, stories, passages, ingest, peers; one command each."""

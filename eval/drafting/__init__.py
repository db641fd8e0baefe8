"""Eval questions drafted from the articles of an archive."""

"""How the shipped reader was made; not part of the product."""

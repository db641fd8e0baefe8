"""One pure function per figure, each with its definition, range and source."""

"""The doors: chat window, HTTP API and command line."""

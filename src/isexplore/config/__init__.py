"""Configuration, our state files, and tokens."""

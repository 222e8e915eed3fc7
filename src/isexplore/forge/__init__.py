"""Forges: one contract (`base`), one HTTP client (`http`), one adapter for each kind."""

"""The journey: the steps from a chosen project to a merged merge request."""

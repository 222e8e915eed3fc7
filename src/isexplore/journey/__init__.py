"""One contribution, from a project to its merge: ten steps that read the real world before they act."""

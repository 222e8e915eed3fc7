"""Reading a project for a newcomer: its documents, rules, people and first issues."""

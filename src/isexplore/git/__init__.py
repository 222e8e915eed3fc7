"""Running git: our own process runner for the network, GitPython for reading local repositories."""

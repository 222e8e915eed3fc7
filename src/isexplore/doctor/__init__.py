"""Checking everything between this machine and a merge request; each bad line comes with its fix."""

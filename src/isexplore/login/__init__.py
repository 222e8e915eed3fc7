"""Signing in: which token is needed, whether it is enough, where it is kept. Independent of any screen."""

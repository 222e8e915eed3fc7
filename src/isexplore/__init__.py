"""isexplore: find InnerSource projects, and get a first merge request in, from the terminal."""

__version__ = "0.1.0"

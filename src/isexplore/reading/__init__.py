"""A project as a person reads it: overview, guides, first issues, people; the same for screens and command line.

`facts` is what is read, `words` how it is told, `asking` gets it from the forge, `kept` from what was kept.
"""

"""The command line: arguments in, services asked, words or one JSON document out."""

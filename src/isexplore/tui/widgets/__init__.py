"""Widgets of isexplore: lists, documents, the search bar, forms. Each takes plain, cleaned text."""

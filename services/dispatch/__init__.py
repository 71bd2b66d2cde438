"""Case files from registration to archive: the process of record."""

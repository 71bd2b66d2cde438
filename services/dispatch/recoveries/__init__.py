"""What was spent on behalf of somebody found later is claimed back; wrong entries are undone."""

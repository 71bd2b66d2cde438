"""Papers that follow an emergency: what was skipped is written up, each in its time."""

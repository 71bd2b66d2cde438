"""How shift leaders and leaders are reached on duty; sealed like callers, told to nobody."""

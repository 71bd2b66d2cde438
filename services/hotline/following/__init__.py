"""Following the case: what intake and dispatch tell, brought to the tickets concerned."""

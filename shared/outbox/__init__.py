"""How events leave a service: stored with their cause, then relayed to the bus by one leader."""

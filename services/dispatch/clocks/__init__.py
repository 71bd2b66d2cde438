"""How long a case has been where, and when each limit runs out: rules only."""

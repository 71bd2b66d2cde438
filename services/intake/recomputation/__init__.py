"""A changed calendar: the clocks of open reports and field tasks are reckoned anew, as one job."""

"""A changed calendar: the deadlines of all open cases are reckoned anew, as one tracked job."""

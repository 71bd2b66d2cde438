"""A changed calendar: what a service has open is reckoned anew, once, as one tracked job."""

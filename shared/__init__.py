"""What every service stands on: no module here knows a service."""

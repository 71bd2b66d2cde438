"""What an operator sees of a running service: logs, figures, and whether it is well."""

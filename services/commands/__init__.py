"""What the command line offers; each module is one group of commands and imports only its own."""

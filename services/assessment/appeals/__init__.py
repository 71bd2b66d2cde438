"""Appeals of units against how a case counted in a closed period, and the corrections made."""

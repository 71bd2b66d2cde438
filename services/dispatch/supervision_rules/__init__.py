"""The rules that open supervision orders by themselves, once for each cause and run of a case."""

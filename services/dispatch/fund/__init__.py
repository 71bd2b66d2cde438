"""The yearly fund for remediation on behalf: a ledger in which nothing is ever changed."""

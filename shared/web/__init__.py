"""The HTTP edge that every service shares: one transaction a request, problem documents, paging."""

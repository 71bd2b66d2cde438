"""The knowledge base that agents answer from."""

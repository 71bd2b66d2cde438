"""What tests of a service need: a runtime, people to sign in, events to deliver."""

from shared.testing.service import ServiceUnderTest, service_under_test
from shared.testing.tokens import TestKeys

__all__ = ["ServiceUnderTest", "TestKeys", "service_under_test"]

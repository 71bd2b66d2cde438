"""The facts of others that identity acts on: none. It tells them, and heeds its own at once."""

from shared.inbox.subscriptions import Subscriptions

subscriptions = Subscriptions("identity")

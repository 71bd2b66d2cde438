"""What can go wrong with keys."""

from shared.errors import Unavailable


class NoSigningKey(Unavailable):
    """Identity was started before its database was prepared."""

    code = "signing-key-missing"
    title = "There is no key to sign with"


class SealingKeyMissing(Unavailable):
    code = "sealing-key-missing"
    title = "There is no secret to seal keys with"


class SealBroken(Unavailable):
    """What is stored was sealed with another secret, or tampered with."""

    code = "seal-broken"
    title = "A stored secret cannot be read"

"""Makes the passwords and keys of the Docker installation, once, as files for the containers.

    python scripts/make_secrets.py [FOLDER]

Nothing that exists is replaced, so it may run before every start; only the broker's list of
accounts is written anew. docs/operations.md says how to change a password or a key.

The folder is closed to everybody but its owner (0700). The files within are readable (0444),
because Docker shows them to the containers with the mode they have here, and the processes in there
run under accounts of their own. Standard library only.
"""

import base64
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

SERVICES = ("identity", "hotline", "intake", "dispatch", "assessment")
VHOST = "minqing"
KEY_BYTES = 32
KEYS = (
    "minqing_identity_sealing_key",
    "minqing_hotline_personal_data_key",
    "minqing_intake_personal_data_key",
)


def keep(folder: Path, name: str, text: str) -> str:
    """Write a secret unless it exists; return what holds now. Never half a file under its name."""
    path = folder / name
    if path.exists():
        return path.read_text(encoding="utf-8").strip()
    _write(path, text)
    print(f"made {path}")
    return text


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o444)
    draft.replace(path)


def hashed(password: str, salt: bytes) -> str:
    """Return a password as RabbitMQ stores it: salt and SHA-256 of salt and password."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def broker_definitions(passwords: dict[str, str]) -> dict[str, object]:
    """Accounts of the broker: each service owns its queues and may speak in its own name only."""
    users, permissions, topics = [], [], []
    for service, password in passwords.items():
        salt = hashlib.sha256(f"{service}{password}".encode()).digest()[:4]
        users.append(
            {
                "name": service,
                "password_hash": hashed(password, salt),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
            }
        )
        own = rf"{service}\..*"
        exchanges = r"minqing\.(events|dead)"
        permissions.append(
            {
                "user": service,
                "vhost": VHOST,
                "configure": f"^({exchanges}|{own})$",
                # amq.default: dead letters go back to the queue that they came from.
                "write": rf"^({exchanges}|amq\.default|{own})$",
                "read": f"^({exchanges}|{own})$",
            }
        )
        topics.append(
            {
                "user": service,
                "vhost": VHOST,
                "exchange": "minqing.events",
                "write": rf"^({own}|probe\.{own})$",
                "read": "^.*$",
            }
        )
    return {
        "vhosts": [{"name": VHOST}],
        "users": users,
        "permissions": permissions,
        "topic_permissions": topics,
    }


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    keep(folder, "postgres_password.txt", secrets.token_urlsafe(32))
    broker_passwords: dict[str, str] = {}
    for service in SERVICES:
        database = keep(folder, f"postgres_{service}_password.txt", secrets.token_urlsafe(32))
        broker = keep(folder, f"rabbitmq_{service}_password.txt", secrets.token_urlsafe(32))
        broker_passwords[service] = broker
        keep(
            folder,
            f"minqing_{service}_database_url.txt",
            f"postgresql+psycopg://{service}:{database}@postgres:5432/{service}",
        )
        keep(
            folder,
            f"minqing_{service}_broker_url.txt",
            f"amqp://{service}:{broker}@rabbitmq:5672/{VHOST}",
        )
    for name in KEYS:
        keep(folder, f"{name}.txt", base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
    definitions = json.dumps(broker_definitions(broker_passwords), indent=2)
    _write(folder / "rabbitmq_definitions.json", definitions)


def main() -> None:
    here = Path(__file__).resolve().parent.parent / "deploy" / "secrets"
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else here)


if __name__ == "__main__":
    main()

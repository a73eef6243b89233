"""An exec as `docker exec` looks at it when it has ended (moby: api/types/backend, ExecInspect)."""

from __future__ import annotations

from typing import Any

from node.model.exec import ExecRecord


def inspected(record: ExecRecord) -> dict[str, Any]:
    """GET /exec/{id}/json."""
    spec = record.spec
    return {
        "ID": record.id,
        "Running": record.running,
        "ExitCode": record.exit_code,
        "ProcessConfig": {
            "tty": spec.tty,
            "entrypoint": spec.command[0],
            "arguments": list(spec.command[1:]),
            "privileged": spec.privileged,
            **({"user": spec.user} if spec.user else {}),
        },
        "OpenStdin": spec.attach_stdin,
        "OpenStderr": spec.attach_stderr,
        "OpenStdout": spec.attach_stdout,
        "CanRemove": record.exit_code is not None,
        "ContainerID": record.container,
        "DetachKeys": spec.detach_keys,
        "Pid": record.pid,
    }

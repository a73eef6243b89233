"""Bodies of requests about containers and execs, as specs; what cannot be read is refused here.

What contradicts itself or what exists is refused further down (control/validate_container.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from node.api.docker_json.host_config import (
    CONFIG_KEPT,
    HOST_CONFIG_DEFAULTS,
    HOST_CONFIG_OPTIONAL,
    UNSET,
)
from node.api.fields import Fields
from node.api.parse_network import endpoint_spec
from node.errors import InvalidParameter
from node.model.container import ContainerSpec, RestartPolicy
from node.model.exec import ExecSpec
from node.model.network import EndpointSpec
from node.programs.signals import number_of

RESTART_POLICIES = ("no", "always", "on-failure", "unless-stopped")
PORTS_MAX = 65_535

PROTOCOLS = ("tcp", "udp", "sctp")

_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


def container_spec(body: Fields) -> ContainerSpec:
    """POST /containers/create. Raises InvalidParameter."""
    host = body.object("HostConfig")
    timeout = body.number("StopTimeout", -1)
    _check_working_directory(body.text("WorkingDir"))
    if body.text("StopSignal"):
        number_of(body.text("StopSignal"))
    mode = host.text("NetworkMode") or "default"
    return ContainerSpec(
        image=body.text("Image"),
        command=body.texts("Cmd"),
        entrypoint=_entrypoint(body),
        environment=_environment(body.texts("Env")),
        working_directory=body.text("WorkingDir"),
        user=body.text("User"),
        hostname=body.text("Hostname"),
        domainname=body.text("Domainname"),
        tty=body.flag("Tty"),
        open_stdin=body.flag("OpenStdin"),
        stdin_once=body.flag("StdinOnce"),
        labels=body.mapping("Labels"),
        stop_signal=body.text("StopSignal"),
        stop_timeout_s=None if timeout < 0 else timeout,
        network_mode=mode,
        endpoints=_endpoints(body, mode),
        restart=restart_policy(host.object("RestartPolicy")),
        auto_remove=host.flag("AutoRemove"),
        exposed_ports=tuple(_port(text) for text in body.raw("ExposedPorts")),
        port_bindings=_port_bindings(host),
        publish_all=host.flag("PublishAllPorts"),
        dns=host.texts("Dns"),
        dns_options=host.texts("DnsOptions"),
        dns_search=host.texts("DnsSearch"),
        extra_hosts=host.texts("ExtraHosts"),
        links=host.texts("Links"),
        uts_mode=host.text("UTSMode"),
        config=_kept(body, CONFIG_KEPT),
        host_config=_kept(host, (*HOST_CONFIG_DEFAULTS, *HOST_CONFIG_OPTIONAL)),
    )


def _kept(fields: Fields, keys: Iterable[str]) -> dict[str, Any]:
    """What inspect shows again, under the engine's spelling, as far as the client cares."""
    found = {key: fields.get(key, object, None) for key in keys}
    return {key: value for key, value in found.items() if value not in UNSET}


def _entrypoint(body: Fields) -> tuple[str, ...] | None:
    """None keeps the image's; [""] takes it away (the CLI's --entrypoint "")."""
    if not body.given("Entrypoint"):
        return None
    entrypoint = body.texts("Entrypoint")
    return () if entrypoint == ("",) else entrypoint or None


def _environment(variables: tuple[str, ...]) -> tuple[str, ...]:
    for variable in variables:
        if not variable.partition("=")[0]:
            raise InvalidParameter(f"invalid environment variable: {variable}")
    return variables


def _check_working_directory(path: str) -> None:
    if path and not path.startswith("/"):
        raise InvalidParameter(f"the working directory '{path}' is invalid, it needs to be an absolute path")


def restart_policy(fields: Fields) -> RestartPolicy:
    """A RestartPolicy object. Raises InvalidParameter (moby: ValidateRestartPolicy)."""
    name, retries = fields.text("Name") or "no", fields.number("MaximumRetryCount")
    if name not in RESTART_POLICIES:
        raise InvalidParameter(
            f"invalid restart policy: unknown policy '{name}'; "
            "use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
        )
    if name != "on-failure" and retries != 0:
        hint = " and cannot be negative" if retries < 0 else ""
        raise InvalidParameter(
            "invalid restart policy: maximum retry count can only be used with 'on-failure'" + hint
        )
    if retries < 0:
        raise InvalidParameter("invalid restart policy: maximum retry count cannot be negative")
    return RestartPolicy(name, retries)


def _endpoints(body: Fields, mode: str) -> dict[str, EndpointSpec]:
    """The wishes by network. The hardware address of old clients belongs to the main network."""
    named = body.object("NetworkingConfig").named_objects("EndpointsConfig")
    endpoints = {name: endpoint_spec(settings) for name, settings in named.items()}
    if (mac := body.text("MacAddress")) == "":
        return endpoints
    main = endpoints.get(mode, EndpointSpec())
    if main.mac not in ("", mac):
        raise InvalidParameter(
            "the container-wide MAC address must match the endpoint-specific MAC address for the main "
            "network, or be left empty"
        )
    settings = {field: getattr(main, field) for field in main.__struct_fields__}
    return {**endpoints, mode: EndpointSpec(**{**settings, "mac": mac})}


def _port(text: str) -> str:
    """ "80" or "80/tcp" as "80/tcp". Raises InvalidParameter."""
    number, _, protocol = text.partition("/")
    _check_ports(number)
    if "-" in number:
        raise InvalidParameter(f'invalid port specification: "{number}"')
    protocol = protocol.lower() or "tcp"
    if protocol not in PROTOCOLS:
        raise InvalidParameter(f"invalid proto: {protocol}")
    return f"{number}/{protocol}"


def _check_ports(text: str) -> None:
    """Refuse what is neither a port nor a range of ports."""
    match = _PORTS.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match is not None else (1, 0)
    if not first <= last <= PORTS_MAX:
        raise InvalidParameter(f'invalid port specification: "{text}"')


def _check_host_address(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        raise InvalidParameter(f"invalid IP address: {text}") from None


def _port_bindings(host: Fields) -> dict[str, tuple[tuple[str, str], ...]]:
    """By container port; no binding given means any host port."""
    bindings: dict[str, tuple[tuple[str, str], ...]] = {}
    wanted = Fields(host.raw("PortBindings"), "PortBindings")
    for port in host.raw("PortBindings"):
        places = [(place.text("HostIp"), place.text("HostPort")) for place in wanted.objects(port)]
        for address, host_port in places:
            if address:
                _check_host_address(address)
            if host_port:
                _check_ports(host_port)
        bindings[_port(port)] = tuple(places) or (("", ""),)
    return bindings


def create_warnings(spec: ContainerSpec) -> list[str]:
    """What was asked for and has no effect."""
    warnings: list[str] = []
    if spec.network_mode == "host" and (spec.port_bindings or spec.publish_all):
        warnings.append("Published ports are discarded when using host network mode")
    if spec.config.get("Volumes") or any(
        key in spec.host_config for key in ("Binds", "Mounts", "Tmpfs", "VolumesFrom")
    ):
        warnings.append("Volumes and mounts are not simulated: the container does not see them")
    test = (spec.config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    if test[0] != "NONE":
        warnings.append("Health checks are not simulated: the container is neither healthy nor unhealthy")
    return warnings


def exec_spec(body: Fields) -> ExecSpec:
    """POST /containers/{name}/exec. Raises InvalidParameter."""
    command = body.texts("Cmd")
    if not command:
        raise InvalidParameter("No exec command specified")
    return ExecSpec(
        command=command,
        environment=body.texts("Env"),
        working_directory=body.text("WorkingDir"),
        user=body.text("User"),
        privileged=body.flag("Privileged"),
        tty=body.flag("Tty"),
        attach_stdin=body.flag("AttachStdin"),
        attach_stdout=body.flag("AttachStdout"),
        attach_stderr=body.flag("AttachStderr"),
        detach_keys=body.text("DetachKeys"),
        console_size=console_size(body),
    )


def console_size(body: Fields) -> tuple[int, int]:
    """Rows and columns of the client's terminal; zeros if it does not say."""
    size = body.get("ConsoleSize", list, [])
    if len(size) != 2 or not all(type(number) is int and 0 <= number <= PORTS_MAX for number in size):
        return 0, 0
    return size[0], size[1]

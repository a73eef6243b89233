"""Bodies of requests about networks, as specs."""

from __future__ import annotations

from ipaddress import IPv6Network

from node import errors
from node.api.fields import Fields
from node.model.network import EndpointSpec, NetworkSpec, Subnet


def network_spec(body: Fields) -> NetworkSpec:
    """POST /networks/create."""
    ipam = body.object("IPAM")
    enable_ipv6 = body.flag("EnableIPv6")
    subnets = [_subnet(fields) for fields in ipam.objects("Config")]
    if not enable_ipv6:  # the engine keeps such subnets for later and looks no further at them
        subnets = [subnet for subnet in subnets if not _is_ipv6(subnet.subnet)]
    return NetworkSpec(
        name=body.text("Name"),
        driver=body.text("Driver") or "bridge",
        scope=body.text("Scope"),
        subnets=tuple(subnets),
        ipam_driver=ipam.text("Driver") or "default",
        ipam_options=ipam.mapping("Options"),
        internal=body.flag("Internal"),
        attachable=body.flag("Attachable"),
        ingress=body.flag("Ingress"),
        config_only=body.flag("ConfigOnly"),
        config_from=body.object("ConfigFrom").text("Network"),
        enable_ipv4=body.flag("EnableIPv4", default=True),
        enable_ipv6=enable_ipv6,
        options=body.mapping("Options"),
        labels=body.mapping("Labels"),
    )


def _subnet(fields: Fields) -> Subnet:
    subnet, gateway = fields.text("Subnet"), fields.text("Gateway")
    return Subnet(
        subnet=subnet,
        gateway=gateway,
        range=fields.text("IPRange"),
        auxiliary=fields.mapping("AuxiliaryAddresses"),
        given=bool(subnet),
        gateway_given=bool(gateway),
    )


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_blank(settings: Fields, key: str) -> bool:
    value = settings.get(key, object, None)
    return value is not None and not value


def endpoint_spec(settings: Fields) -> EndpointSpec:
    """The wishes in one EndpointSettings; what the engine itself fills in is not read."""
    addresses = settings.object("IPAMConfig")
    if addresses.text("IPv6Address") or addresses.texts("LinkLocalIPs"):
        raise errors.NotImplemented("IPv6 and link-local addresses are not simulated: leave them out")
    return EndpointSpec(
        address=addresses.text("IPv4Address"),
        mac=settings.text("MacAddress"),
        aliases=settings.texts("Aliases"),
        links=settings.texts("Links"),
        driver_options=settings.mapping("DriverOpts"),
        gateway_priority=settings.number("GwPriority"),
        blank=tuple(key for key in ("IPAMConfig", "Aliases", "DriverOpts") if _is_blank(settings, key)),
    )

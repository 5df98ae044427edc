"""Which hosts are this machine itself."""

import ipaddress


def is_loopback_host(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def is_own_host(host: str) -> bool:
    """Whether a name in a request means this machine: an address, or `localhost`.

    Source: RFC 6761, section 6.3: names below `localhost` lead nowhere else.
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True

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

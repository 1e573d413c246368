"""Which IP addresses are globally routable, in whatever form they are written."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

#: Not globally reachable (https://www.iana.org/assignments/iana-ipv4-special-registry), and the address at which
#: Azure's machines are told about themselves, which is reached from nowhere else.
_NOT_GLOBAL_4 = tuple(
    IPv4Network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
    )
)
#: The one block of IPv6 that is global unicast, and what in it is not (iana-ipv6-special-registry).
_GLOBAL_6 = IPv6Network("2000::/3")
_NOT_GLOBAL_6 = tuple(IPv6Network(one) for one in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
#: Blocks whose last 32 bits are an IPv4 address: compatible, translated (SIIT) and NAT64 (RFC 6052).
_LAST_32 = tuple(IPv6Network(one) for one in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
_TEREDO = IPv6Network("2001::/32")


def is_public(address: str) -> bool:
    """Whether an IP address, and each IPv4 address embedded in it, is globally routable."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in block for block in _NOT_GLOBAL_4)
    inner = [*_wrapped(found)]
    if inner:
        return all(is_public(str(one)) for one in inner) and not _isatap_of_private(found)
    return found in _GLOBAL_6 and not any(found in block for block in _NOT_GLOBAL_6) and not _isatap_of_private(found)


def _wrapped(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses embedded in an IPv6 address."""
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address.sixtofour:
        yield address.sixtofour
    elif address in _TEREDO and address.teredo:
        yield from address.teredo
    elif any(address in block for block in _LAST_32):
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _isatap_of_private(address: IPv6Address) -> bool:
    """RFC 5214: an interface identifier of 0000:5efe or 0200:5efe is followed by an IPv4 address."""
    inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return (int(address) >> 32) & 0xFDFFFFFF == 0x5EFE and not is_public(str(inner))

"""Where a webhook may go: to an address on the public internet, or to one that the company allowed by name.

A host is resolved once, every address it has is checked, and the connection is made to a checked address: a name that
answers differently a moment later (DNS rebinding) changes nothing. Only `resolved` does I/O.
"""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

NO_URL = _("{url} is no web address. It has to look like https://api.supplier.example/orders.")
WITH_LOGIN = _("{url} holds a user name or password. Use the secret: it signs every message.")
NOT_SECURE = _("{url} is not https. Orders are sent without encryption only to hosts that are allowed by name.")
NOT_PUBLIC = _(
    "{host} is {address}, which is not on the public internet. To send orders there all the same, add it to the "
    "allowed private hosts in the company's Forecast Settings."
)
NO_SUCH_HOST = _("{host} cannot be found: {error}")
NOT_ALLOWABLE = _("“{entry}” is neither a host, an address nor a network such as 10.0.0.0/24.")

_PORTS: Final = {"https": 443, "http": 80}
# Addresses that carry another one inside: what counts is the one inside.
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_IPV4_COMPATIBLE: Final = ipaddress.ip_network("::/96")


@dataclass(frozen=True)
class Target:
    """A URL taken apart. allowed_by_name: the company lists this host (and this port, if it names one)."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    allowed_by_name: bool

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """Without the query, which may hold a token."""
        return f"{self.scheme}://{self.host_header}{self.path.partition('?')[0]}"


@dataclass(frozen=True)
class Allowed:
    """Private hosts that a company allows. names: (host, port or None); networks: addresses."""

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[IPNetwork, ...] = ()

    def has_name(self, host: str, port: int) -> bool:
        return (host, None) in self.names or (host, port) in self.names

    def has_address(self, address: IPAddress) -> bool:
        return any(address.version == network.version and address in network for network in self.networks)


NONE: Final = Allowed()


def allowed_hosts(text: str | None) -> Allowed:
    """Read the setting: hosts (host or host:port), addresses and networks, one a line or separated by commas.

    Raises BadInput for an entry that is none of them.
    """
    names, networks = set(), []
    for entry in (text or "").replace(",", "\n").split():
        network = _network(entry)
        if network is not None:
            networks.append(network)
        else:
            names.add(_name_and_port(entry))
    return Allowed(frozenset(names), tuple(networks))


def target(url: str, allowed: Allowed) -> Target:
    """The URL, checked for all that needs no look-up.

    Raises BadInput: no web address, a login inside, not encrypted and not allowed, a literal address that is not
    public and not allowed.
    """
    parts = _split(url)
    host, port = _ascii(parts.hostname or "", url), parts.port or _PORTS[parts.scheme]
    literal = _address(host)
    by_name = allowed.has_name(host, port) or (literal is not None and allowed.has_address(literal))
    if parts.scheme != "https" and not by_name and not _could_be_allowed(literal, allowed):
        raise BadInput(NOT_SECURE, url=url)
    if literal is not None:
        check_address(host, literal, allowed, by_name)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, parts.scheme, host, port, path, by_name)


def _could_be_allowed(literal: IPAddress | None, allowed: Allowed) -> bool:
    """A name may lead into an allowed network; which it does, its addresses tell (`checked`)."""
    return literal is None and bool(allowed.networks)


def checked(where: Target, addresses: Iterable[IPAddress], allowed: Allowed) -> IPAddress:
    """The address to connect to. Raises BadInput if one of them is not public and not allowed: a host that has both
    kinds is not given the benefit of the doubt."""
    found = list(addresses)
    for address in found:
        check_address(where.host, address, allowed, where.allowed_by_name)
        if where.scheme != "https" and not (where.allowed_by_name or allowed.has_address(address)):
            raise BadInput(NOT_SECURE, url=where.shown)
    return found[0]


def check_address(host: str, address: IPAddress, allowed: Allowed, by_name: bool = False) -> None:
    if by_name or allowed.has_address(address) or allowed.has_address(inner(address)):
        return
    if not is_public(address):
        raise BadInput(NOT_PUBLIC, host=host, address=address)


def is_public(address: IPAddress) -> bool:
    """On the public internet: not loopback, private, link-local, shared, multicast, reserved or unspecified, also
    where such an address is wrapped into an IPv6 one."""
    inside = inner(address)
    return inside.is_global and not (inside.is_multicast or inside.is_reserved or inside.is_unspecified)


def inner(address: IPAddress) -> IPAddress:
    """The IPv4 address inside an IPv6 one (mapped, compatible, 6to4, Teredo, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def resolved(where: Target) -> Sequence[IPAddress]:
    """Every address of the host, as the system's resolver says. Raises OSError where it has none."""
    found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    # A scope (fe80::1%eth0) is the machine's own affair; the address says what it is without it.
    return [ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_rest, sockaddr in found]


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise BadInput(NO_URL, url=url) from error
    if parts.scheme not in _PORTS or not parts.hostname or not port_is_valid or any(c.isspace() for c in url.strip()):
        raise BadInput(NO_URL, url=url)
    if parts.username is not None or parts.password is not None:
        raise BadInput(WITH_LOGIN, url=f"{parts.scheme}://{parts.hostname}")
    return parts


def _ascii(host: str, url: str) -> str:
    """The name as it is looked up and sent: lower case, without the last dot, münchen.example as xn--mnchen-3ya."""
    try:
        return host.rstrip(".").lower().encode("idna").decode() if not host.isascii() else host.rstrip(".").lower()
    except UnicodeError as error:
        raise BadInput(NO_URL, url=url) from error


def _address(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _network(entry: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _name_and_port(entry: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{entry}")
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadInput(NOT_ALLOWABLE, entry=entry) from error
    if not host or parts.path or parts.username is not None or set(host) & set("*?#%"):
        raise BadInput(NOT_ALLOWABLE, entry=entry)
    return _ascii(host, entry), port

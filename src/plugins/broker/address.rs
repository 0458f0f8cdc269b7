//! Which IP addresses may be called. What is not known to be a place in the public internet is not.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Public,
    /// Only with a grant that says `private`.
    Inside(&'static str),
    /// Only with a grant that says `private` and names the very address.
    Metadata,
    Nowhere(&'static str),
}

/// Whether an address may be called. `private` as in the grant; `named` when the grant's host is the address itself.
pub(super) fn permitted(address: IpAddr, private: bool, named: bool) -> Result<(), &'static str> {
    let place = match address {
        IpAddr::V4(v4) => place_v4(v4),
        IpAddr::V6(v6) => place_v6(v6),
    };
    match place {
        Place::Public => Ok(()),
        Place::Inside(_) if private => Ok(()),
        Place::Metadata if private && named => Ok(()),
        Place::Inside(what) | Place::Nowhere(what) => Err(what),
        Place::Metadata => Err("an address where clouds keep their credentials"),
    }
}

fn place_v4(address: Ipv4Addr) -> Place {
    let [a, b, c, d] = address.octets();
    match (a, b, c, d) {
        (169, 254, 169, 254) | (100, 100, 100, 200) | (192, 0, 0, 192) | (168, 63, 129, 16) => {
            Place::Metadata
        }
        (0, ..) => Place::Nowhere("an unspecified address"),
        (127, ..) => Place::Inside("a loopback address"),
        (10, ..) | (192, 168, ..) | (172, 16..=31, ..) => Place::Inside("a private address"),
        (169, 254, ..) => Place::Inside("a link-local address"),
        (100, 64..=127, ..) => Place::Inside("an address shared behind a carrier's NAT"),
        (198, 18..=19, ..) => Place::Inside("an address for benchmarks"),
        (192, 0, 0, _) | (192, 88, 99, _) => Place::Nowhere("an address of the protocols"),
        (192, 0, 2, _) | (198, 51, 100, _) | (203, 0, 113, _) => {
            Place::Nowhere("an address for documentation")
        }
        (224..=239, ..) => Place::Nowhere("a multicast address"),
        (240..=255, ..) => Place::Nowhere("a reserved address"),
        _ => Place::Public,
    }
}

fn place_v6(address: Ipv6Addr) -> Place {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let last = v4_of(g, h);
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0) if g == 0 && h == 0 => Place::Nowhere("an unspecified address"),
        (0, 0, 0, 0, 0, 0) if g == 0 && h == 1 => Place::Inside("a loopback address"),
        (0, 0, 0, 0, 0, 0 | 0xffff) => inside(place_v4(last), "an IPv4 address in IPv6 clothes"),
        // Networks that have only IPv6 reach public IPv4 so.
        (0x64, 0xff9b, 0, 0, 0, 0) => place_v4(last),
        (0x64, 0xff9b, 1, ..) => Place::Inside("an address behind a NAT of one's own"),
        (0xfd00, 0xec2, 0, 0, 0, 0) if g == 0 && h == 0x254 => Place::Metadata,
        (0xfc00..=0xfdff, ..) => Place::Inside("a unique-local address"),
        (0xfe80..=0xfebf, ..) => Place::Inside("a link-local address"),
        (0xfec0..=0xfeff, ..) => Place::Inside("a site-local address"),
        (0xff00..=0xffff, ..) => Place::Nowhere("a multicast address"),
        (0x2002, ..) => inside_only(place_v4(v4_of(b, c)), "a 6to4 address of a place that is not public"),
        // Teredo: the server's address, and the client's with its bits turned over.
        (0x2001, 0, ..) => match (place_v4(v4_of(c, d)), place_v4(v4_of(!g, !h))) {
            (Place::Public, client) => inside_only(client, "a Teredo address of a place that is not public"),
            _ => Place::Nowhere("a Teredo address of a place that is not public"),
        },
        (0x2001, 0xdb8, ..) | (0x3fff, 0..=0xfff, ..) => Place::Nowhere("an address for documentation"),
        (0x2001, 0..=0x1ff, ..) => Place::Nowhere("an address of the protocols"),
        (0x2000..=0x3fff, ..) => Place::Public,
        _ => Place::Nowhere("an address that was given to nobody"),
    }
}

/// An address in other clothes: never public, and not more than what it wraps.
fn inside(wrapped: Place, what: &'static str) -> Place {
    if wrapped == Place::Public { Place::Inside(what) } else { wrapped }
}

/// A tunnel to a public place is public; one to any other leads nowhere, whatever was granted.
fn inside_only(wrapped: Place, what: &'static str) -> Place {
    if wrapped == Place::Public { Place::Public } else { Place::Nowhere(what) }
}

fn v4_of(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(address: &str, private: bool, named: bool) -> bool {
        permitted(address.parse().unwrap(), private, named).is_ok()
    }

    #[test]
    fn public_places() {
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "223.5.5.5",
            "2400:3200::1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "2001:0:4136:e378:8000:63bf:fefe:fefe",
        ] {
            assert!(allowed(address, false, false), "{address}");
        }
    }

    #[test]
    fn places_inside_need_a_grant() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fe80::1",
            "fd12:3456::1",
            "fec0::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:1.1.1.1",
            "::10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
        ] {
            assert!(!allowed(address, false, false), "{address}");
            assert!(!allowed(address, false, true), "{address}");
            assert!(allowed(address, true, false), "{address}");
        }
    }

    #[test]
    fn places_that_no_grant_opens() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "192.0.0.1",
            "::",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "2002:a9fe:a9fe::1",
            "2001:0:a00:1:8000:63bf:fefe:fefe",
            "2001:0:4136:e378:8000:63bf:f5ff:fffe",
            "5f00::1",
            "100::1",
            "::ffff:0.0.0.0",
            "64:ff9b::e000:1",
        ] {
            assert!(!allowed(address, false, false), "{address}");
            assert!(!allowed(address, true, true), "{address}");
        }
    }

    #[test]
    fn credentials_of_clouds_only_by_their_very_address() {
        for address in
            ["169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "::ffff:169.254.169.254"]
        {
            assert!(!allowed(address, false, true), "{address}");
            assert!(!allowed(address, true, false), "{address}");
            assert!(allowed(address, true, true), "{address}");
        }
    }
}

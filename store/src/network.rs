//! IP networks in CIDR form, as they stand in the directory. Never resolves a name.

use std::{fmt, net::IpAddr, str::FromStr};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// An IP network such as `192.0.2.0/24` or `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// The text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a network; write an address and a prefix length, such as 192.0.2.0/24 or 2001:db8::/32"
)]
pub struct NotANetwork(String);

impl Network {
    /// Whether `peer` lies in the network. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, peer: IpAddr) -> bool {
        match (self.address, peer.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(peer)) => {
                (u32::from(network) ^ u32::from(peer)).checked_shr(32 - u32::from(self.prefix)).unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(network), IpAddr::V6(peer)) => {
                (u128::from(network) ^ u128::from(peer))
                    .checked_shr(128 - u32::from(self.prefix))
                    .unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }

    /// Whether the two have an address in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }

    /// Wider than any company's mail systems.
    pub(crate) fn is_too_wide(&self) -> bool {
        match self.address {
            IpAddr::V4(_) => self.prefix < 16 && !self.is_private(),
            IpAddr::V6(_) => self.prefix < 32,
        }
    }

    /// Addresses that nobody has on the internet: there even a /8 is one company's.
    fn is_private(&self) -> bool {
        match self.address {
            IpAddr::V4(address) => self.prefix >= 8 && (address.is_private() || address.is_loopback()),
            IpAddr::V6(_) => false,
        }
    }

    /// Bits that are fixed; more bits, narrower network.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        if prefix > widest {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl<C> Encode<C> for Network {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(&self.to_string())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Network {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.str()?.parse().map_err(|_| decode::Error::message("a network in CIDR form"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let network: Network = "192.0.2.128/25".parse().unwrap();
        assert!(network.contains("192.0.2.129".parse().unwrap()));
        assert!(network.contains("::ffff:192.0.2.200".parse().unwrap()));
        assert!(!network.contains("192.0.2.127".parse().unwrap()));
        assert!(!network.contains("2001:db8::1".parse().unwrap()));
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.7".parse().unwrap()));
        let one: Network = "2001:db8::5/128".parse().unwrap();
        assert!(one.contains("2001:db8::5".parse().unwrap()));
        assert!(!one.contains("2001:db8::4".parse().unwrap()));
        assert_eq!(one.to_string(), "2001:db8::5/128");
    }

    #[test]
    fn a_network_is_one_companys_or_too_wide() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        for wide in ["0.0.0.0/0", "192.0.0.0/8", "::/0", "2001::/16"] {
            assert!(network(wide).is_too_wide(), "{wide}");
        }
        for narrow in ["192.0.2.0/24", "10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "2001:db8::/32"] {
            assert!(!network(narrow).is_too_wide(), "{narrow}");
        }
        assert!(network("192.0.2.0/24").overlaps(&network("192.0.2.128/25")));
        assert!(network("192.0.2.128/25").overlaps(&network("192.0.2.0/24")));
        assert!(!network("192.0.2.0/25").overlaps(&network("192.0.2.128/25")));
        assert!(!network("192.0.2.0/25").overlaps(&network("::/0")));
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in ["192.0.2.0", "192.0.2.0/33", "host/8", "", "/8", "192.0.2.0/-1"] {
            assert!(wrong.parse::<Network>().unwrap_err().to_string().contains(wrong));
        }
    }
}

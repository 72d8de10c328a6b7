package capture

import (
	"encoding/binary"
	"net/netip"
)

// An Address is an IP address as two words, for it is compared and hashed for
// every packet; of IPv4 it is ::ffff:a.b.c.d. Netip gives it as others know it.
type Address struct{ high, low uint64 }

const mapped = 0xFFFF << 32 // before the bits of an IPv4 address

// AddressOf gives a without its zone.
func AddressOf(a netip.Addr) Address {
	b := a.As16()
	return Address{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
}

// apart is 0 iff a and b are the same.
func (a Address) apart(b Address) uint64 { return (a.high ^ b.high) | (a.low ^ b.low) }

// narrow reports whether a is of IPv4.
func (a Address) narrow() bool { return a.high == 0 && a.low>>32 == mapped>>32 }

// Netip gives the address for package netip.
func (a Address) Netip() netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a.high)
	binary.BigEndian.PutUint64(b[8:], a.low)
	return netip.AddrFrom16(b).Unmap()
}

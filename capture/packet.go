package capture

// A LinkType says what a captured frame begins with, by the numbers of
// https://www.tcpdump.org/linktypes.html.
type LinkType uint16

// The link types that are decoded.
const (
	Null     LinkType = 0   // BSD loopback: a protocol family in the byte order of the capturing machine
	Ethernet LinkType = 1   // VLAN tags included
	RawBSD   LinkType = 12  // an IP packet
	RawOBSD  LinkType = 14  // an IP packet
	Raw      LinkType = 101 // an IP packet
	Loop     LinkType = 108 // OpenBSD loopback: a protocol family in network byte order
	SLL      LinkType = 113 // Linux cooked capture
	IPv4     LinkType = 228
	IPv6     LinkType = 229
	SLL2     LinkType = 276 // Linux cooked capture, version 2: tcpdump -i any
)

// A Packet is a frame as it was captured.
type Packet struct {
	Time   int64 // nanoseconds since 1970-01-01 UTC
	Link   LinkType
	Length int    // of the frame on the wire; never below len(Data)
	Data   []byte // of it, what was captured
}

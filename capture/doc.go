// Package capture reads packets and says of every TCP flow to an HTTP/1.x
// origin who ended it, when, and whether an edge proxy would have answered 520.
//
// # How packets flow
//
//	file -> Reader -> Packet --+
//	live ring -----------------+-> Tracker -> Flow: Evidence, Verdict
//
// A [Reader] gives the packets of a pcap or pcapng file. A [Tracker] takes
// packets, from a file or a network, and gives each [Flow] once it is over. It
// has no clock, goroutine or channel: time is that of the packets. [Flows] is
// both over one file.
//
// Within a Tracker a packet becomes a [Segment], one flat struct; the segment
// finds its flow in a table of bounded size and moves the sequence numbers of
// its side on. Payload that is next in order goes to the flow's conversation:
// requests are framed, responses read by [wire.Stream], of TLS the records are
// counted. Resets are kept with what stood around them, and weighed only when
// the flow is over, for what follows a reset says most about it.
//
// A flow that is over becomes [validator.Evidence], which [validator.Judge]
// judges as it judges what an edge itself saw; flows in which nothing went wrong
// are only counted, unless Options.All asks for them.
//
// # Live
//
// On Linux a [Live] gives the packets of an interface, and flows as they end. A
// [Tap] watches the connections that this process makes: [Tap.ProbeAll] asks as
// a Prober does, and its evidence holds what TCP shows, too; a [Watch] is for any
// other connection. Packets that were lost on the way make a verdict less
// certain, and it says so. It takes CAP_NET_RAW while it is opened, no more.
//
// # What a capture may hold
//
// Segments that lie outside their receiver's window, old ones between the packets
// of a handshake, a SYN or a FIN that nobody obeys, and a packet whose time is bad
// change nothing of what is said. What is missing is passed over once it is
// acknowledged, however much it is, and noted. An answer that is captured before
// its request waits for that; ports that are used again begin another flow once
// the new SYN is answered, refused, or sent again. Where one side alone was
// captured, what it sent and acknowledged proves the handshake. A silence in which
// TCP would have sent something again (RFC 6298) may be the capture's.
//
// # Who
//
// A reset counts against the origin only if a receiver would have obeyed it: at
// the sequence number that is due, or where a segment ended (RFC 5961 section
// 3.2), before both sides had closed, in a flow whose handshake was seen, and
// not answered by a challenge ACK. Whether the origin's own TCP sent it is
// weighed by the hop limit, the IP identification, the timestamp option, the
// window, and what came behind it; some systems leave the option out of their
// resets, so that its want decides nothing where hop limit and identification are
// the sender's. A pattern of packets alone
// ([Flow].Signature) is never called an injection.
//
// # Memory
//
// Nothing is allocated per packet. [Options.Flows] and [Options.Buffer] bound
// what a Tracker holds, whatever the packets are: about 230 bytes for each flow, up
// to 110 more while it is more than plain TCP over IPv4, and the buffer. Flows that
// must go before they are over are given as they stand and counted. Where there is
// no buffer, those that were silent longest give up theirs, and are followed as TCP
// alone from there on; a request that waits for its answer takes next to nothing,
// and keeps its place.
//
// # What is not looked at
//
// Checksums, which hardware fills in behind the capture; fragments of IP behind
// the first, which have no ports; ICMP; SCTP and QUIC. Within TLS, only the types
// and lengths of records, and of the hellos whether they are of TLS 1.3 and offer
// HTTP/2.
package capture

package validator

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// A Target is an origin and what it is asked. Only URL is needed.
type Target struct {
	URL       string // http or https
	ConnectTo string // HOST[:PORT] to dial in the place of the URL's, while Host and SNI stay the URL's
	Host      string // Host field; empty: the URL's
	SNI       string // server name for TLS; empty: Host without its port
	Method    string // empty: GET, or POST where there is content
	Fields    []Field
	Body      []byte // content to send
	Upload    int64  // bytes of generated content to send, where Body is nil
	UserAgent string // empty: why520
	Upgrade   string // protocol to ask an upgrade to: "websocket"

	Requests int           // to make on one connection, one after the other; 0: 1
	Idle     time.Duration // to wait between them
}

// A Field is a field of the request, sent as it stands. A Name that the
// request has already (Host, User-Agent, Accept, Connection) replaces it.
type Field struct{ Name, Value string }

// A Prober asks origins. The zero Prober is ready; its fields must not change
// while it is used, and it may be used by many goroutines at once.
type Prober struct {
	Resolver  *net.Resolver // nil: the system's
	Addresses Addresses
	Source    netip.Addr // to dial from; zero: any
	Preface   Preface    // PROXY protocol header to send first
	Policy    Policy
	Deadlines Deadlines

	// TLS has RootCAs, Certificates, MinVersion, ...; nil: the system's roots. What
	// its functions refuse is a *LocalError; h2 is not offered.
	TLS *tls.Config

	// Settle is how long to watch a new connection before the request is sent,
	// for an early reset, close or banner. 0: twice the handshake's round trip
	// and 2 ms, at most 50 ms; negative: not at all.
	Settle time.Duration

	Digest bool // compute the content's SHA-256
	Decode bool // check that gzip and deflate content decodes

	// Control, if set, is the ControlContext of the net.Dialer: it runs before
	// each TCP connection is made. Where it binds the socket, Source must not
	// be set. Its error ends the probe as a fault of the asking side.
	Control func(ctx context.Context, network, address string, c syscall.RawConn) error

	// Connected, if set, runs on each new TCP connection before TLS and the
	// request. Its error ends the probe as a fault of the asking side.
	Connected func(context.Context, net.Conn) error

	// Trace, if set, is told of each step, in order, on the goroutine that
	// asks. It must not keep Bytes.
	Trace func(Step)
}

// A Step is one event of an exchange, as check -v prints it.
type Step struct {
	At     time.Duration // since the exchange began
	Kind   StepKind
	Text   string // for people
	Offset int64  // of the first of Bytes, in its direction; valid with Bytes
	Bytes  []byte // sent or received, not masked
}

// A StepKind says which way a Step goes.
type StepKind byte

const (
	StepInfo     StepKind = '*'
	StepSent     StepKind = '>'
	StepReceived StepKind = '<'
)

// Addresses says which of a name's addresses are asked.
type Addresses uint8

const (
	FirstAddress Addresses = iota // the first that the resolver gives
	AllAddresses                  // each, with a verdict of its own
	IPv4                          // the first A record
	IPv6                          // the first AAAA record
)

// A Preface is a header of the PROXY protocol.
type Preface uint8

const (
	NoPreface Preface = iota
	ProxyV1
	ProxyV2
)

// Deadlines bound each phase. Zero means the default.
type Deadlines struct {
	Connect   time.Duration // 5 s, of each address
	TLS       time.Duration // 5 s
	Write     time.Duration // 10 s without progress in sending
	FirstByte time.Duration // 15 s from the end of the request, and again after each interim response
	Head      time.Duration // 20 s from the end of the request to the end of the final head
	Idle      time.Duration // 10 s between bytes
	Total     time.Duration // 60 s for all
}

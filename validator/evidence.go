package validator

import (
	"slices"
	"time"

	"why520/wire"
)

// EvidenceVersion is the version of Evidence as it is stored.
const EvidenceVersion = 1

// Evidence is what was seen of one exchange with an origin: facts, no opinion.
// It is whole and storable as JSON; Judge turns it into a Verdict, now or in
// years. Values of Set-Cookie, Authorization and Cookie in it are masked, each
// visible byte by an asterisk, so that lengths and offsets stay true.
type Evidence struct {
	Version int    `json:"v"`  // EvidenceVersion
	ID      string `json:"id"` // to quote: 16 random hexadecimal digits
	Target  string `json:"target,omitempty"`
	Address string `json:"address,omitempty"` // dialled: "192.0.2.1:80"

	Request  RequestFacts `json:"request"`
	Reused   bool         `json:"reused"`   // the connection carried an exchange before this one
	Attempts int          `json:"attempts"` // connections tried for this exchange

	Phase Phase    `json:"phase"`           // where the exchange stood when it ended
	End   wire.End `json:"end"`             // how it ended: one of wire's ends or of this package's
	Error string   `json:"error,omitempty"` // what the system or the TLS library said of the end, for people

	Sent     int64 `json:"sent"`     // TCP payload bytes, within TLS its records, given to the system since the request began
	Acked    int64 `json:"acked"`    // of these, acknowledged by the origin's TCP; -1: unknown
	Received int64 `json:"received"` // bytes of the response that came, interim responses included

	Policy   Policy     `json:"policy"`             // that it was read under
	Response *Response  `json:"response,omitempty"` // nil while no byte of a response came
	Seen     []Finding  `json:"seen,omitempty"`     // notes that are not of the response's bytes
	Name     *NameFacts `json:"dns,omitempty"`
	TLS      *TLSFacts  `json:"tls,omitempty"`
	TCP      *TCPFacts  `json:"tcp,omitempty"` // with a capture
	Timing   Timing     `json:"timing"`
}

// Clone gives a copy that shares no memory with e.
func (e *Evidence) Clone() *Evidence {
	c := *e
	c.Request.Fields = slices.Clone(e.Request.Fields)
	c.Seen = slices.Clone(e.Seen)
	c.Name, c.TLS, c.TCP = copyOf(e.Name), copyOf(e.TLS), copyOf(e.TCP)
	if c.Name != nil {
		c.Name.Addresses = slices.Clone(c.Name.Addresses)
	}
	if t := c.TLS; t != nil {
		t.Names, t.FirstBytes, t.Certificate = slices.Clone(t.Names), slices.Clone(t.FirstBytes), slices.Clone(t.Certificate)
	}
	if c.TCP != nil {
		c.TCP.Evidence = slices.Clone(c.TCP.Evidence)
	}
	if r := copyOf(e.Response); r != nil {
		c.Response = r
		r.Raw, r.Found = slices.Clone(r.Raw), slices.Clone(r.Found)
		r.Head, r.Body, r.Around = copyOf(r.Head), copyOf(r.Body), copyOf(r.Around)
		if r.Head != nil {
			r.Head.Largest = slices.Clone(r.Head.Largest)
		}
		if r.Around != nil {
			r.Around.Bytes = slices.Clone(r.Around.Bytes)
		}
	}
	return &c
}

// copyOf gives a shallow copy of what p points to, or nil.
func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// RequestFacts is what was asked.
type RequestFacts struct {
	Method  string   `json:"method,omitempty"` // empty: GET
	Target  string   `json:"request_target,omitempty"`
	Host    string   `json:"host,omitempty"`
	Fields  []string `json:"fields,omitempty"` // "Name: value", masked, in the order sent, Host left out
	Size    int64    `json:"size"`             // bytes of head and content, before TLS
	Upload  int64    `json:"upload,omitempty"` // of these, content
	Upgrade bool     `json:"upgrade,omitempty"`
	Expect  bool     `json:"expect,omitempty"`
}

// Wire is the request as package wire wants to know it.
func (q *RequestFacts) Wire() wire.Request {
	return wire.Request{Method: q.Method, Upgrade: q.Upgrade, Expect: q.Expect}
}

// Response is what the response's bytes were.
type Response struct {
	Raw     []byte      `json:"raw"`               // its first bytes, masked: all heads up to their budgets, and a little of what follows
	Interim int         `json:"interim,omitempty"` // complete interim responses before the final head
	Head    *HeadFacts  `json:"head,omitempty"`    // the last head that began, once its status line was whole
	Body    *BodyFacts  `json:"body,omitempty"`    // valid iff the final head is complete
	Reason  wire.Reason `json:"reason"`            // what ended the reading: OK, a fault in the bytes, or one that the end settled
	Offset  int64       `json:"offset"`            // of the byte at fault, from the first of the response; -1: none is
	Part    string      `json:"part,omitempty"`    // where a fault stands: "status-line", "field 3", "chunk-size", ...
	Banner  string      `json:"banner,omitempty"`  // the protocol that is spoken instead of HTTP/1, where it is known
	Found   []Finding   `json:"found,omitempty"`   // violations that reading went on past, and notes, in the order of the bytes
	Around  *Excerpt    `json:"around,omitempty"`  // the bytes around a fault that lies beyond Raw
}

// HeadFacts are measures of a head.
type HeadFacts struct {
	Offset   int64       `json:"offset"` // of its first byte
	Minor    int         `json:"minor"`  // of version 1.Minor
	Status   int         `json:"status"`
	Fields   int         `json:"fields"`       // field lines seen
	Size     int         `json:"size"`         // bytes seen, measured ones included; the whole head's iff Complete
	Longest  int         `json:"longest_line"` // bytes of the longest line, without its CRLF
	Complete bool        `json:"complete"`
	Largest  []FieldSize `json:"largest,omitempty"` // at most five names, by bytes
}

// FieldSize is what all field lines of one name take together.
type FieldSize struct {
	Name  string `json:"name"` // lower case
	Count int    `json:"count"`
	Bytes int    `json:"bytes"` // CRLFs included
}

// BodyFacts are measures of the content.
type BodyFacts struct {
	Framing  string `json:"framing"`          // none, length, chunked, close, tunnel
	Length   int64  `json:"length,omitempty"` // declared; valid iff Framing is length
	Bytes    int64  `json:"bytes"`            // content that came, without framing
	SHA256   string `json:"sha256,omitempty"` // of the content that came, hexadecimal; where asked
	Complete bool   `json:"complete"`
	Trailers int    `json:"trailers,omitempty"` // field lines of the trailer section
	Coding   string `json:"coding,omitempty"`   // what is wrong with the content's coding; where asked
}

// Excerpt is a piece of the response.
type Excerpt struct {
	Offset int64  `json:"offset"` // of its first byte
	Bytes  []byte `json:"bytes"`  // masked
}

// A Finding is a violation or a note, and where it is.
type Finding struct {
	Reason  wire.Reason `json:"reason"`
	Offset  int64       `json:"offset"`            // -1: no byte shows it
	Message string      `json:"message,omitempty"` // what was seen, for people; empty: the reason's meaning
}

// NameFacts is what looking up the origin's name gave.
type NameFacts struct {
	Server    string   `json:"server,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	Code      string   `json:"code,omitempty"` // "NXDOMAIN", "SERVFAIL", "no address", ...
}

// TLSFacts is what the handshake and the TLS connection showed.
type TLSFacts struct {
	ServerName string   `json:"server_name,omitempty"`
	Version    string   `json:"version,omitempty"` // "1.3"; empty until the handshake is done
	Cipher     string   `json:"cipher,omitempty"`
	ALPN       string   `json:"alpn,omitempty"`
	Alert      int      `json:"alert,omitempty"` // that the origin sent; 0: none (close_notify is no alert here)
	Asked      bool     `json:"client_certificate_requested,omitempty"`
	Given      bool     `json:"client_certificate_given,omitempty"`
	Names      []string `json:"names,omitempty"` // of the origin's certificate
	NotBefore  string   `json:"not_before,omitempty"`
	NotAfter   string   `json:"not_after,omitempty"`
	Issuer     string   `json:"issuer,omitempty"`
	FirstBytes []byte   `json:"first_bytes,omitempty"` // of what is no TLS record
	// Certificate holds what is wrong with the certificate, the gravest first: expired, name, untrusted.
	Certificate []wire.Reason `json:"certificate,omitempty"`
}

// TCPFacts is what a capture adds: who reset, and when.
type TCPFacts struct {
	ResetBy    string   `json:"reset_by,omitempty"`
	Stage      string   `json:"stage,omitempty"`
	Confidence string   `json:"confidence,omitempty"` // certain, likely, open
	Evidence   []string `json:"evidence,omitempty"`

	Whole          int         `json:"whole,omitempty"`          // responses that passed before, each whole and well-formed; up to 255
	Unread         bool        `json:"unread,omitempty"`         // not all that the origin sent was read as HTTP
	Unacknowledged int64       `json:"unacknowledged,omitempty"` // bytes of a whole response that the client had not acknowledged when the reset came
	Or             wire.Reason `json:"or,omitempty"`             // with confidence open: the reason that may be the true one
}

// Timing is how long each phase took. Zero: the phase was not reached.
type Timing struct {
	DNS     time.Duration `json:"dns"`
	Connect time.Duration `json:"connect"`
	TLS     time.Duration `json:"tls"`
	Request time.Duration `json:"request"`
	Wait    time.Duration `json:"wait"`
	Head    time.Duration `json:"head"`
	Body    time.Duration `json:"body"`
	Total   time.Duration `json:"total"`
}

package validator

import (
	"fmt"

	"why520/wire"
)

// A Phase is where an exchange stood.
type Phase uint8

const (
	PhaseDNS Phase = iota
	PhaseConnect
	PhaseTLS
	PhaseRequest // the request is being sent
	PhaseWait    // it is sent, and no byte of the response has come
	PhaseHead
	PhaseBody
	PhaseIdle // the response is whole
)

var phases = [...]string{"dns", "connect", "tls", "request", "wait", "head", "body", "idle"}

// String gives the word of the command's contract.
func (p Phase) String() string {
	if int(p) >= len(phases) {
		return fmt.Sprintf("phase %d", p)
	}
	return phases[p]
}

// MarshalText gives the word.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText takes the word.
func (p *Phase) UnmarshalText(text []byte) error {
	for i, w := range phases {
		if w == string(text) {
			*p = Phase(i)
			return nil
		}
	}
	return fmt.Errorf("no phase is called %.32q", text)
}

// Ends of connections that never came to carry a response. They go on from
// wire's: one type, one identity.
const (
	Refused     wire.End = 64 + iota // the SYN was answered with a reset
	NoRoute                          // a router said that the address cannot be reached
	NoName                           // the name does not resolve
	NameTimeout                      // the name server did not answer
	Alert                            // the origin sent a TLS alert: TLSFacts.Alert
	NotTLS                           // what answered the ClientHello is no TLS record
	Certificate                      // we broke off: TLSFacts.Certificate
	ALPN                             // we broke off: the origin chose a protocol that was not offered
	Version                          // we broke off: the origin chose a TLS version or cipher that was not offered
)

func init() {
	for e, w := range map[wire.End]string{
		Refused: "refused", NoRoute: "no-route", NoName: "no-name", NameTimeout: "name-timeout",
		Alert: "alert", NotTLS: "not-tls", Certificate: "certificate", ALPN: "alpn", Version: "version",
	} {
		wire.DeclareEnd(e, w)
	}
}

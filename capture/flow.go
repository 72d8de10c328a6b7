package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"why520/validator"
)

// A Flow is one TCP connection, once it is over or as far as it came.
type Flow struct {
	Client, Origin netip.AddrPort
	VLAN           uint16 // of its first packet; 0: none
	First, Last    time.Time
	Packets        int
	Handshake      string // complete, partial, none (refused or unanswered), unseen
	ResetBy        string // origin, client, injected; empty: no reset counted
	Stage          string // where it ended: handshake, before-request, in-request, after-request, in-head, in-content, after-response, idle
	Payload        Payload
	Signature      string // of the SIGCOMM 2023 paper, such as "PSH+ACK -> RST"; empty: none
	Evicted        bool   // it was given before it was over
	Trace          []Passed

	Evidence *validator.Evidence
	Verdict  validator.Verdict
}

// Payload counts bytes that the sequence numbers prove, retransmitted ones once.
type Payload struct {
	Client int64 `json:"client"`
	Origin int64 `json:"origin"`
}

// The words of Flow.ResetBy.
const (
	ByOrigin = "origin"
	ByClient = "client"
	Injected = "injected"
)

// The words of Flow.Stage, in the order of an exchange.
const (
	InHandshake   = "handshake"
	BeforeRequest = "before-request"
	InRequest     = "in-request"
	AfterRequest  = "after-request"
	InHead        = "in-head"
	InContent     = "in-content"
	AfterResponse = "after-response"
	Idle          = "idle"
)

// The words of Flow.Handshake.
const (
	HandshakeComplete = "complete"
	HandshakePartial  = "partial"
	HandshakeNone     = "none"
	HandshakeUnseen   = "unseen"
)

// MarshalJSON gives the flow as the command's contract has it.
func (f *Flow) MarshalJSON() ([]byte, error) {
	type note struct {
		Reason  string `json:"reason"`
		Offset  *int64 `json:"offset,omitempty"`
		Message string `json:"message"`
	}
	type tcp struct {
		Confidence string   `json:"confidence"`
		Evidence   []string `json:"evidence"`
		Signature  string   `json:"signature,omitempty"`
	}
	out := struct {
		Client    string      `json:"client"`
		Origin    string      `json:"origin"`
		VLAN      uint16      `json:"vlan"`
		First     json.Number `json:"first"`
		Last      json.Number `json:"last"`
		Packets   int         `json:"packets"`
		Handshake string      `json:"handshake"`
		ResetBy   string      `json:"reset_by"`
		Stage     string      `json:"stage"`
		Payload   Payload     `json:"payload"`
		TCP       tcp         `json:"tcp"`
		Reason    string      `json:"reason"`
		Cause     string      `json:"cause,omitempty"`
		OK        bool        `json:"ok"`
		Status    int         `json:"edge_status,omitempty"`
		Offset    *int64      `json:"offset,omitempty"`
		Message   string      `json:"message"`
		Notes     []note      `json:"notes"`
	}{
		Client: f.Client.String(), Origin: f.Origin.String(), VLAN: f.VLAN,
		First: seconds(f.First), Last: seconds(f.Last), Packets: f.Packets,
		Handshake: f.Handshake, ResetBy: f.ResetBy, Stage: f.Stage, Payload: f.Payload,
		TCP:    tcp{Evidence: []string{}, Signature: f.Signature},
		Reason: f.Verdict.Reason.String(), Cause: string(f.Verdict.Cause), OK: f.Verdict.OK(),
		Status: f.Verdict.EdgeStatus, Offset: offset(f.Verdict.Offset), Message: f.Verdict.Message,
		Notes: []note{},
	}
	if f.Evidence != nil && f.Evidence.TCP != nil {
		out.TCP.Confidence = f.Evidence.TCP.Confidence
		out.TCP.Evidence = append(out.TCP.Evidence, f.Evidence.TCP.Evidence...)
	}
	for _, n := range f.Verdict.Notes {
		out.Notes = append(out.Notes, note{n.Reason.String(), offset(n.Offset), n.Message})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the arrows of signatures
	err := e.Encode(out)
	return bytes.TrimSpace(b.Bytes()), err
}

func offset(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

// seconds gives t in seconds since 1970, all nine digits of the fraction.
func seconds(t time.Time) json.Number {
	whole, fraction, sign := t.Unix(), t.Nanosecond(), ""
	if whole < 0 { // the fraction of a time.Time counts upwards
		sign, whole = "-", -whole
		if fraction > 0 {
			whole, fraction = whole-1, 1e9-fraction
		}
	}
	return json.Number(fmt.Sprintf("%s%d.%09d", sign, whole, fraction))
}

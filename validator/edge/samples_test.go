package edge_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"why520/validator"
	"why520/wire"
)

// What the origin of a sample has, and a visitor must not see.
const (
	secretAddress = "203.0.113.77:18443"
	secretName    = "internal-origin.corp.example"
	secretBytes   = "kryptonite-4711"
)

var secrets = []string{secretAddress, "203.0.113.77", "18443", secretName, secretBytes}

// failures gives every reason that is a failure.
func failures() []wire.Reason {
	var all []wire.Reason
	for _, r := range wire.Reasons() {
		if !r.Info().Note {
			all = append(all, r)
		}
	}
	return all
}

// sample gives an error for a reason, with evidence of everything that could be
// known, the secrets everywhere in it.
func sample(reason wire.Reason) *validator.Error {
	names := validator.NamesOf(reason)
	raw := "HTTP/1.1 200 OK\r\nServer: " + secretBytes + "\r\nX-" + secretBytes + ": <script>alert(1)</script>\r\n" +
		"Transfer-Encoding: " + secretBytes + "\r\nContent-Encoding: gzip\r\n\r\n" + secretBytes
	phase := validator.PhaseHead
	switch names.Cause {
	case "unreachable-name":
		phase = validator.PhaseDNS
	case "unreachable", "refused", "connect-timeout":
		phase = validator.PhaseConnect
	case "tls-handshake", "tls-certificate":
		phase = validator.PhaseTLS
	case "reset-after-handshake", "empty-response", "response-timeout":
		phase = validator.PhaseWait
	case "body-incomplete":
		phase = validator.PhaseBody
	}
	e := &validator.Evidence{
		Version: validator.EvidenceVersion, ID: fmt.Sprintf("%x", sha256.Sum256([]byte(reason.String())))[:16],
		Target: "https://" + secretName + "/", Address: secretAddress, Error: "read tcp " + secretAddress + ": broken",
		Request: validator.RequestFacts{Method: "GET", Host: secretName}, Attempts: 1,
		Phase: phase, Sent: 120, Acked: 120, Received: int64(len(raw)), End: wire.FIN,
		Name:   &validator.NameFacts{Server: secretAddress, Addresses: []string{secretAddress}, Code: "NXDOMAIN"},
		TLS:    &validator.TLSFacts{ServerName: secretName, Names: []string{secretName}, Issuer: secretBytes, Alert: 40, FirstBytes: []byte(secretBytes)},
		Timing: validator.Timing{DNS: 2 * time.Millisecond, Connect: 11 * time.Millisecond, TLS: 24 * time.Millisecond, Wait: 210 * time.Millisecond, Head: 3 * time.Millisecond},
	}
	v := &validator.Verdict{
		Reason: reason, Cause: names.Cause, EdgeStatus: names.EdgeStatus, Phase: phase, Offset: -1,
		Message: reason.Info().Meaning + ": " + secretName + " said " + secretBytes,
	}
	if phase >= validator.PhaseHead {
		v.Offset = int64(len("HTTP/1.1 200 OK\r\nServer: ") + 3)
		e.Response = &validator.Response{
			Raw: []byte(raw), Reason: reason, Offset: v.Offset, Part: "field line 1", Banner: secretBytes,
			Head: &validator.HeadFacts{Minor: 1, Status: 200, Fields: 4, Size: 9020, Longest: 8300, Complete: true,
				Largest: []validator.FieldSize{{Name: "x-" + secretBytes, Count: 12, Bytes: 7300}}},
			Body: &validator.BodyFacts{Framing: "length", Length: 4000, Bytes: 1234, Coding: secretBytes},
		}
	}
	v.Findings = []validator.Finding{{Reason: reason, Offset: v.Offset, Message: v.Message}}
	return &validator.Error{Verdict: v, Evidence: e, Err: fmt.Errorf("dial tcp %s: %s", secretAddress, secretBytes)}
}

// everybody is for Answers.Details.
func everybody(*http.Request) bool { return true }

package capture_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/capture"
	"why520/capture/captest"
)

func TestSignaturesAreThePapers(t *testing.T) {
	for name, want := range map[string]string{
		"unanswered":             "SYN -> nothing",
		"refused":                "SYN -> RST+ACK",
		"reset-before-request":   "SYN; ACK -> RST+ACK",
		"reset-after-request":    "PSH+ACK -> RST+ACK",
		"stateless-reset":        "PSH+ACK -> RST",
		"rejected-on-the-way":    "PSH+ACK -> RST",
		"injected-burst":         "PSH+ACK -> RST+ACK; RST+ACK",
		"first-byte-timeout":     "PSH+ACK -> nothing",
		"reset-in-content":       "PSH+ACK; Data -> RST+ACK",
		"closed-by-client":       "",
		"reset-in-the-middle":    "",
		"injection-challenged":   "",
		"request-unacknowledged": "PSH+ACK -> nothing",
	} {
		for f := range captest.Flows(captest.Options{Seed: 3, Flows: 5, Only: name}) {
			for _, flow := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
				assert.Equal(t, want, flow.Signature, name)
			}
		}
	}
}

// Signatures prove nothing: the same one stands on resets of the origin's and on
// forged ones.
func TestASignatureAloneIsNoTampering(t *testing.T) {
	by := map[string]map[string]bool{}
	for f := range captest.Flows(captest.Options{Seed: 3, Flows: 600}) {
		for _, flow := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
			if by[flow.Signature] == nil {
				by[flow.Signature] = map[string]bool{}
			}
			by[flow.Signature][flow.ResetBy] = true
		}
	}
	for _, s := range []string{"SYN; ACK -> RST+ACK", "PSH+ACK -> RST+ACK", "PSH+ACK; Data -> RST+ACK"} {
		assert.True(t, by[s][capture.ByOrigin] && by[s][capture.Injected], "%s: %v", s, by[s])
	}
}

package capture_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/capture"
	"why520/capture/captest"
)

func TestOfAResponseThatIsNotWholeNobodySaysThatItIs(t *testing.T) {
	for _, name := range []string{"still-open", "client-resets-in-content", "joined-in-content", "response-acknowledged-but-not-captured"} {
		seen := false
		for f := range captest.Flows(captest.Options{Seed: 4, Flows: 4, Only: name}) {
			for _, g := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
				assert.NotContains(t, g.Verdict.Message, "whole", name)
				seen = true
			}
		}
		assert.True(t, seen, name)
	}
}

// What is said of a flow in which nothing is refused is what was seen, and what was not.
func TestTheSentenceSaysWhatWasSeen(t *testing.T) {
	for name, want := range map[string]string{
		"closed-by-client":                       "the response is whole and well-formed",
		"kept-alive":                             "3 responses are whole and well-formed",
		"still-open":                             "no response was seen; the capture ends before the flow does",
		"client-resets-in-content":               "9000 bytes of a response came, and not its end; the client reset",
		"joined-in-content":                      "nothing is refused in what was seen of 1 response; the capture does not hold the flow's handshake",
		"reset-in-the-middle":                    "no response was seen; the capture does not hold",
		"response-acknowledged-but-not-captured": "what the origin sent was not read as HTTP; the capture lost",
		"fragmented":                             "nothing is refused in what was seen of 1 response; the capture lost or cut",
		"another-protocol":                       "what the origin sent was not read as HTTP",
		"upgraded":                               "the response is whole and well-formed",
		"tls12":                                  "the flow is TLS",
		"client-gives-up-in-handshake":           "no response was seen; the client reset",
	} {
		seen := false
		for f := range captest.Flows(captest.Options{Seed: 4, Flows: 2, Only: name}) {
			for _, g := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
				assert.True(t, strings.HasPrefix(g.Verdict.Message, want), "%s: %s", name, g.Verdict.Message)
				seen = true
			}
		}
		assert.True(t, seen, name)
	}
}

// A flow that there was no room to follow is not called well-formed.
func TestOfAFlowThatWasNotFollowedNothingIsSaid(t *testing.T) {
	for f := range captest.Flows(captest.Options{Seed: 4, Flows: 2, Only: "closed-by-client"}) {
		for _, g := range flowsOf(f.Frames, capture.Options{Buffer: 1})[f.Client.String()] {
			assert.Equal(t, "what the origin sent was not read as HTTP", g.Verdict.Message)
			assert.Equal(t, "open", g.Evidence.TCP.Confidence)
			assert.Contains(t, g.Evidence.TCP.Evidence, "HTTP could not be followed to the end")
		}
	}
}

// Who closes first may wait for the response all the same: what it acknowledges
// then shows it.
func TestAResetBehindAHalfCloseMayBeOpen(t *testing.T) {
	for name, stays := range map[string]bool{"closed-or-half-closed-and-reset": true, "half-closed-and-reset-in-content": false, "reset-crosses-the-client's-fin": false} {
		for f := range captest.Flows(captest.Options{Seed: 4, Flows: 4, Only: name}) {
			for _, g := range flowsOf(f.Frames, capture.Options{})[f.Client.String()] {
				assert.Equal(t, stays, g.Evidence.TCP.Confidence == "open", name)
				assert.Equal(t, stays, strings.Contains(g.Verdict.Message, "or else reset-after-request"), "%s: %s", name, g.Verdict.Message)
			}
		}
	}
}

// A SYN that began nothing is no flow.
func TestASYNThatBeganNothingIsNoFlow(t *testing.T) {
	for f := range captest.Flows(captest.Options{Seed: 4, Flows: 4, Only: "ports-reused-twice"}) {
		assert.Len(t, flowsOf(f.Frames, capture.Options{})[f.Client.String()], 2)
	}
}

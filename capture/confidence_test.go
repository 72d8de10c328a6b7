package capture_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
	"why520/capture/captest"
)

// How sure a verdict is, of classes of which that matters.
func TestConfidenceIsThatOfWhatWasSeen(t *testing.T) {
	for class, want := range map[string]string{
		"unanswered":             "certain",
		"unanswered-once":        "likely",
		"request-unacknowledged": "certain",
		"request-unacknowledged-and-the-rest-not-captured": "open",
		"request-unacknowledged-and-the-client-resets":     "certain",
		"body-stalled": "certain",
		"body-unacknowledged-and-the-rest-not-captured": "open",
		"origin-gives-up-a-silent-client":               "open",
		"origin-gives-up-a-silent-handshake":            "open",
		"tls-unanswered":                                "certain",
		"tls-unanswered-http2-offered":                  "open",
		"tls-unanswered-http2-offered-first":            "open",
		"tls13-early-data":                              "open",
		"never-asked":                                   "certain",
		"reset-in-content":                              "certain",
	} {
		flows := 0
		for f := range captest.Flows(captest.Options{Seed: 9, Flows: 20, Only: class}) {
			flows++
			got := flowsOf(f.Frames, capture.Options{})[f.Client.String()]
			require.NotEmpty(t, got, class)
			facts := got[len(got)-1].Evidence.TCP
			if f.Client.Addr().Is4() { // of IPv6, fewer signs speak for a reset
				assert.Equal(t, want, facts.Confidence, "%s: %q", class, facts.Evidence)
			}
		}
		assert.NotZero(t, flows, class)
	}
}

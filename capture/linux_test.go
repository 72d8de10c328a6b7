package capture_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/capture"
)

// testdata/linux.pcap was captured with tcpdump -i any on Linux 6: one connection
// to each of eight ports, whose servers end it in their own way.
func TestResetsOfALinuxKernelAreTheOrigins(t *testing.T) {
	want := map[uint16][4]string{
		47100: {"reset-before-request", "origin", "before-request", "certain"}, // SO_LINGER 0 at once
		47101: {"reset-after-request", "origin", "after-request", "certain"},   // after reading
		47102: {"head-reset", "origin", "in-head", "certain"},
		47103: {"body-reset", "origin", "in-content", "certain"},
		47104: {"reset-after-request", "origin", "after-request", "certain"}, // closed with the request unread
		47105: {"closed-without-a-byte", "", "after-request", "certain"},
		47106: {"ok", "", "after-response", "certain"},
		47107: {"connection-refused", "origin", "handshake", "likely"},
	}
	file, err := os.Open("testdata/linux.pcap")
	require.NoError(t, err)
	defer file.Close()
	n := 0
	for f, err := range capture.Flows(file, capture.Options{All: true}) {
		require.NoError(t, err)
		got := [4]string{f.Verdict.Reason.String(), f.ResetBy, f.Stage, f.Evidence.TCP.Confidence}
		assert.Equal(t, want[f.Origin.Port()], got, f.Origin)
		n++
	}
	assert.Equal(t, len(want), n)
}

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/bench/peers/internal/page"
)

var measured = figures{
	packets: 1000, flows: 80, size: 1_234_567_890,
	results: map[string]result{
		ours:                          {seconds: 0.5, peak: 40e6},
		"read() alone":                {seconds: 0.1, peak: 10e6},
		"tshark -2, tcp.completeness": {seconds: 60.004, peak: 3.2e9},
	},
	live: &live{800, map[string]float64{"lost": 0, "cpu-ns/packet": 432, "ms-after-reset": 7.12, "ms-longest": 9.96}},
}

func TestTheTableHasARowForEachReaderThatIsThere(t *testing.T) {
	assert.Equal(t, `1000 packets, 1.23 GB, 80 flows of which one in twenty is not sound:

| | CPU seconds | ns a packet | of ours | peak memory |
|---|--:|--:|--:|--:|
| why520 capture | 0.50 | 500000 | 1.00 | 40 MB |
| read() alone | 0.10 | 100000 | 0.20 | 10 MB |
| tshark -2, tcp.completeness | 60.00 | 60004000 | 120 | 3200 MB |

Live, of 800 packets at 0.4 million a second, 0 were lost, for 0.43 us of CPU each; a verdict came
7.1 ms after the reset, the wait for what follows it included, 10.0 ms at the latest.
`, markdown(measured))
	without := measured
	without.live = nil
	assert.NotContains(t, markdown(without), "Live")
}

func TestTheChartShowsAllButOurs(t *testing.T) {
	assert.Equal(t, page.Chart{
		Title: "CPU time and memory as a multiple of those of why520 capture, the line; logarithmic",
		Rows:  []string{"read() alone", "tshark -2, tcp.completeness"},
		Series: []page.Series{
			{Name: "CPU time", At: map[string]float64{"read() alone": 0.2, "tshark -2, tcp.completeness": 120.008}},
			{Name: "peak memory", At: map[string]float64{"read() alone": 0.25, "tshark -2, tcp.completeness": 80}},
		},
	}, chartOf(measured))
}

func TestTheOriginNamesTheCommandAndTheMachine(t *testing.T) {
	assert.Regexp(t, "^Medians of 5 rounds, .+, by `go run ./cmd/captures` in bench/peers on .+ \\([0-9]+ CPUs\\), go1.+/.+\\.\n$", origin(options{rounds: 5}))
}

func TestMetricsOfABenchmarkAreRead(t *testing.T) {
	l := &live{metrics: map[string]float64{}}
	l.take("goos: linux\nBenchmarkLive \t  800000\t      2500 ns/op\t       431.5 cpu-ns/packet\t         0 lost\nPASS\n")
	assert.Equal(t, map[string]float64{"ns/op": 2500, "cpu-ns/packet": 431.5, "lost": 0}, l.metrics)
}

func TestEveryReaderReadsWhatIsMade(t *testing.T) {
	o := options{file: filepath.Join(t.TempDir(), "made.pcap"), packets: 2000, rounds: 1, slow: true}
	f, err := o.measure()
	require.NoError(t, err)
	assert.InDelta(t, 2000, f.packets, 500)
	for _, r := range readers {
		if _, err := exec.LookPath(r.command[0]); err == nil || strings.HasPrefix(r.command[0], "./") {
			assert.Contains(t, f.results, r.name)
		}
	}
}

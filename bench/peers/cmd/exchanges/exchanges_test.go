package main

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/bench/peers/internal/page"
)

var figures = []figure{
	{setting: "client, 1", client: "net/http", perCPU: 12345.6, ratio: 1, perSecond: 9876.5, allocs: 46.04, bytes: 3016.2},
	{setting: "client, 1", client: "Transport", perCPU: 25000, ratio: 2.025, perSecond: 20000, allocs: 6, bytes: 1496},
	{setting: "client, 256", client: "net/http", perCPU: 30000, ratio: 1, perSecond: 9000, allocs: 46, bytes: 3016},
	{setting: "client, 256", client: "Transport", perCPU: 66000, ratio: 2.2, perSecond: 20000, allocs: 6, bytes: 1496},
}

func TestTheTableHasARowForEachClientInEachSetting(t *testing.T) {
	assert.Equal(t, `| where, connections | client | requests per CPU second | of net/http's | requests/s | allocations | bytes |
|---|---|--:|--:|--:|--:|--:|
| client, 1 | net/http | 12346 | 1.00 | 9876 | 46.0 | 3016 |
| client, 1 | Transport | 25000 | 2.02 | 20000 | 6.0 | 1496 |
| client, 256 | net/http | 30000 | 1.00 | 9000 | 46.0 | 3016 |
| client, 256 | Transport | 66000 | 2.20 | 20000 | 6.0 | 1496 |
`, markdown(figures))
}

func TestTheChartShowsAllButNetHTTP(t *testing.T) {
	assert.Equal(t, page.Chart{
		Title:  "Requests per CPU second as a multiple of net/http's, the line; logarithmic",
		Rows:   []string{"client, 1", "client, 256"},
		Series: []page.Series{{Name: "Transport", At: map[string]float64{"client, 1": 2.025, "client, 256": 2.2}}},
	}, chartOf(figures))
}

func TestTheOriginNamesTheCommandAndTheMachine(t *testing.T) {
	assert.Regexp(t, "^Medians of 15 rounds, by `go run ./cmd/exchanges` in bench/peers on .+ \\(one CPU .+\\), go1.+/.+; load before: 0.07\\.\n$", origin(options{rounds: 15}, true, "0.07"))
}

func TestTheAnswerIsOfTheSizeThatIsCompared(t *testing.T) {
	head, rest, found := bytes.Cut(answer, []byte("\r\n\r\n"))
	require.True(t, found)
	assert.Equal(t, 283, len(head)+4)
	assert.Len(t, rest, 128)
}

// outside is the world in this process.
func outside(t *testing.T) *world {
	fromUs, toIt := io.Pipe()
	fromIt, toUs := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(fromUs, toUs) }()
	w, err := newWorld(toIt, fromIt)
	require.NoError(t, err)
	w.wait = func() error { return <-ended }
	t.Cleanup(func() { assert.NoError(t, w.close()) })
	return w
}

func TestEveryClientDoesItsExchangesInEverySetting(t *testing.T) {
	o := options{rounds: 1, turn: 50 * time.Millisecond, settings: []string{"client, 1", "client, 32", "proxy, 32"}}
	got, err := o.measure(outside(t))
	require.NoError(t, err)
	var all []string
	for _, f := range got {
		all = append(all, f.setting+": "+f.client)
		assert.Positive(t, f.perSecond)
		assert.Positive(t, f.ratio)
	}
	assert.Equal(t, []string{
		"client, 1: net/http", "client, 1: Transport", "client, 1: net/http, Conn", "client, 1: fasthttp", "client, 1: net.Conn",
		"client, 32: net/http", "client, 32: Transport", "client, 32: net/http, Conn", "client, 32: fasthttp", "client, 32: net.Conn",
		"proxy, 32: net/http", "proxy, 32: Transport", "proxy, 32: net/http, Conn",
	}, all)
}

func TestAResponseThatIsNotTheOriginsFails(t *testing.T) {
	w := outside(t)
	before := answer
	defer func() { answer = before }()
	answer = bytes.Replace(bytes.Clone(answer), []byte("Yes"), []byte("Yea"), 1)
	for _, c := range clients[:4] {
		hire, end := c.open(w.origin)
		assert.ErrorContains(t, hire()(), "Yea", c.name)
		end()
	}
}

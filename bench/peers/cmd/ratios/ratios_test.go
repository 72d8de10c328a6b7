package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/bench"
	"why520/bench/peers/internal/page"
)

var figures = []bench.Figure{
	{Case: "tiny", Parser: "wire", Time: 31.456, Ratio: 1},
	{Case: "tiny", Parser: "fast", Time: 15.5, Ratio: 0.4931},
	{Case: "tiny", Parser: "slow", Time: 3145, Ratio: 99.96},
	{Case: "malformed-late", Parser: "wire", Time: 1234, Ratio: 1},
	{Case: "malformed-late", Parser: "fast", Time: math.NaN(), Ratio: math.NaN(), Wrong: &bench.Wrong{Inputs: 3, Of: 500}},
}

func TestTheTableHasTimesRatiosAndWhatIsWrong(t *testing.T) {
	assert.Equal(t, `| case | | wire | fast | slow |
|---|---|--:|--:|--:|
| tiny | 3 field lines, 105 bytes | 31.5 ns | 0.49 | 100 |
| malformed-late | a fault in the last field line of 287 bytes | 1234 ns | wrong | |

Of wire the time for one input; of the others, how many times as long they take.
Wrong, and so not timed: fast on 3 of 500 inputs of malformed-late.
`, markdown(figures))
}

func TestTheChartLeavesOutWhatIsWrong(t *testing.T) {
	assert.Equal(t, page.Chart{
		Title: "Time for one input as a multiple of that of wire, the line; logarithmic",
		Rows:  []string{"tiny", "malformed-late"},
		Series: []page.Series{
			{Name: "fast", At: map[string]float64{"tiny": 0.4931}},
			{Name: "slow", At: map[string]float64{"tiny": 99.96}},
		},
	}, chartOf(figures))
}

func TestTheOriginNamesTheCommandAndTheMachine(t *testing.T) {
	assert.Regexp(t, "^Medians of 51 rounds, by `go run.* ./cmd/ratios` in bench/peers on .+ \\([0-9]+ CPUs\\), go1.+/.+\\.\n$", origin(51))
}

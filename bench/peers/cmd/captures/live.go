package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// live is what the benchmarks of live capture say.
type live struct {
	packets int
	metrics map[string]float64 // by their units
}

// measureLive runs the benchmarks of package capture that capture live: packets
// that come at 0.4 million a second, and verdicts of 200 connections.
func measureLive(packets int) (*live, error) {
	l := &live{packets, map[string]float64{}}
	for name, times := range map[string]int{"Live": packets, "Verdict": 200} {
		c := exec.Command("go", "test", "-run", "^$", "-bench", "^Benchmark"+name+"$", "-benchtime", fmt.Sprint(times, "x"), "./capture")
		c.Dir = "../.."
		out, err := c.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("live: %w\n%s", err, out)
		}
		l.take(string(out))
	}
	if len(l.metrics) == 0 { // they were skipped
		return nil, nil
	}
	return l, nil
}

// take reads the metrics of what a benchmark printed.
func (l *live) take(out string) {
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "Benchmark") {
			continue
		}
		fields := strings.Fields(line)
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				l.metrics[fields[i+1]] = v
			}
		}
	}
}

// Command ratios measures package wire beside its peers, and prints how many
// times as long they take. Run it where nothing else runs, in bench/peers:
//
//	go run -tags llhttp ./cmd/ratios
//
// With -update, the README gets the table, and ratios.svg shows it.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"why520/bench"
	"why520/bench/peers"
)

const (
	readme = "../../README.md"
	chart  = "ratios.svg"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 51, "rounds of each case")
	turn := flag.Duration("turn", 5*time.Millisecond, "how long a parser works in a round, at least; its garbage is collected within")
	update := flag.Bool("update", false, "write the table into "+readme+", and the chart")
	flag.Parse()
	figures := bench.Measure(bench.Options{Rounds: *rounds, Turn: *turn}, append([]bench.Parser{bench.Wire()}, peers.All()...)...)
	text := markdown(figures) + "\n" + origin(*rounds)
	if !*update {
		fmt.Print(text)
		return
	}
	if err := publish(figures, text); err != nil {
		log.Fatal(err)
	}
}

// publish draws the chart, and puts it and text into the README.
func publish(figures []bench.Figure, text string) error {
	old, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	updated, err := replace(old, "\n![Ratios of times, the table below as a chart](bench/peers/"+chart+")\n\n"+text+"\n")
	if err != nil {
		return err
	}
	svg, err := picture(figures)
	if err != nil {
		return err
	}
	if err := os.WriteFile(chart, svg, 0o644); err != nil {
		return err
	}
	return os.WriteFile(readme, updated, 0o644)
}

// replace puts with between the comments in which the README has a place for it.
func replace(text []byte, with string) ([]byte, error) {
	const from, to = "./cmd/ratios -update -->\n", "<!-- /ratios -->"
	before, rest, begins := bytes.Cut(text, []byte(from))
	_, after, ends := bytes.Cut(rest, []byte(to))
	if !begins || !ends {
		return nil, fmt.Errorf("%s has no place for the table, from %q to %q", readme, from, to)
	}
	return fmt.Appendf(nil, "%s%s%s%s%s", before, from, with, to, after), nil
}

// origin says how and where the figures were made.
func origin(rounds int) string {
	return fmt.Sprintf("Medians of %d rounds, by `go run%s ./cmd/ratios` in bench/peers on %s (%d CPUs), %s %s/%s.\n",
		rounds, tags(), processor(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// processor is the name of the CPU, where the system tells it.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "an unknown CPU"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unknown CPU"
}

// tags are the build tags of this command, as an option of go run.
func tags() string {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return " -tags " + s.Value
		}
	}
	return ""
}

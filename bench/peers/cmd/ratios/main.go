// Command ratios measures package wire beside its peers, and prints how many
// times as long they take. Run it where nothing else runs, in bench/peers:
//
//	go run -tags llhttp ./cmd/ratios
//
// With -update, the README gets the table, and ratios.svg shows it.
package main

import (
	"flag"
	"fmt"
	"log"
	"runtime"
	"runtime/debug"
	"time"

	"why520/bench"
	"why520/bench/peers"
	"why520/bench/peers/internal/page"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 51, "rounds of each case")
	turn := flag.Duration("turn", 5*time.Millisecond, "how long a parser works in a round, at least; its garbage is collected within")
	update := flag.Bool("update", false, "write the table into "+page.README+", and the chart")
	flag.Parse()
	figures := bench.Measure(bench.Options{Rounds: *rounds, Turn: *turn}, append([]bench.Parser{bench.Wire()}, peers.All()...)...)
	text := markdown(figures) + "\n" + origin(*rounds)
	if !*update {
		fmt.Print(text)
		return
	}
	if err := page.Publish("ratios", "Ratios of times, the table below as a chart", text, chartOf(figures)); err != nil {
		log.Fatal(err)
	}
}

// origin says how and where the figures were made.
func origin(rounds int) string {
	return fmt.Sprintf("Medians of %d rounds, by `go run%s ./cmd/ratios` in bench/peers on %s (%d CPUs), %s %s/%s.\n",
		rounds, tags(), page.Processor(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
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

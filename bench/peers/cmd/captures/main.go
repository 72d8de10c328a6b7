// Command captures measures how much CPU time and memory readers of captures
// take for one file: package capture, gopacket, and tcpdump, tcptrace and tshark
// where they are installed. Each works in a process of its own, all in turn,
// several times. Live, as root on Linux, it counts what capture loses. Run it
// where nothing else runs, in bench/peers:
//
//	go run ./cmd/captures
//
// With -update, the README gets the table, and captures.svg shows it.
package main

import (
	"flag"
	"fmt"
	"log"
	"runtime"

	"why520/bench/peers/internal/page"
)

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.file, "file", "", "capture to read; where it is missing it is made and stays (default: one that is made, and removed)")
	flag.IntVar(&o.packets, "packets", 3_000_000, "about how many packets to make")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each reader reads, in turn")
	flag.BoolVar(&o.slow, "slow", true, "measure those too that take minutes and gigabytes, once")
	flag.IntVar(&o.live, "live", 800_000, "how many packets to capture live; 0: none")
	update := flag.Bool("update", false, "write the table into "+page.README+", and the chart")
	flag.Parse()
	if err := run(o, *update); err != nil {
		log.Fatal("captures: ", err)
	}
}

func run(o options, update bool) error {
	f, err := o.measure()
	if err != nil {
		return err
	}
	text := markdown(f) + "\n" + origin(o)
	if !update {
		fmt.Print(text)
		return nil
	}
	return page.Publish("captures", "CPU time and memory, the table below as a chart", text, chartOf(f))
}

// origin says how and where the figures were made.
func origin(o options) string {
	return fmt.Sprintf("Medians of %d rounds, slow ones of one, by `go run ./cmd/captures` in bench/peers on %s (%d CPUs), %s %s/%s.\n",
		o.rounds, page.Processor(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

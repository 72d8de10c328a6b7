// Command exchanges measures whole exchanges: a request to an origin on
// loopback, and its response read to the end, by validator.Transport beside
// other clients, and through httputil.ReverseProxy. Run it where nothing else
// runs, in bench/peers:
//
//	go run ./cmd/exchanges
//
// The origin, and the browsers before the proxy, are a process of their own:
// where there is taskset, it has the first CPU, and what is measured has the
// second. With -update, the README gets the table, and exchanges.svg shows it.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"why520/bench/peers/internal/page"
)

func main() {
	log.SetFlags(0)
	var o options
	flag.IntVar(&o.rounds, "rounds", 15, "rounds of each setting")
	flag.DurationVar(&o.turn, "turn", 100*time.Millisecond, "how long a client works in a round")
	flag.Func("setting", "measure this `setting` alone, such as \"client, 32\"; it may be given several times", func(name string) error {
		o.settings = append(o.settings, name)
		return nil
	})
	profile := flag.String("profile", "", "measure nothing: write the CPU profile of the `client` of this name into exchanges.pprof")
	update := flag.Bool("update", false, "write the table into "+page.README+", and the chart")
	isOutside := flag.Bool("outside", false, "be the origin and the browsers, as standard input says")
	flag.Parse()
	if *isOutside {
		runtime.GOMAXPROCS(1)
		if err := serve(os.Stdin, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(o, *profile, *update); err != nil {
		log.Fatal(err)
	}
}

func run(o options, profile string, update bool) error {
	world, pinned, err := start()
	if err != nil {
		return err
	}
	defer world.close()
	if profile != "" {
		return o.profile(world, profile)
	}
	others := load()
	figures, err := o.measure(world)
	if err != nil {
		return err
	}
	text := markdown(figures) + "\n" + origin(o, pinned, others)
	if !update {
		fmt.Print(text)
		return nil
	}
	return page.Publish("exchanges", "Requests per CPU second, the table below as a chart", text, chartOf(figures))
}

// start begins the process outside, and gives each of both a CPU where it can.
func start() (w *world, pinned bool, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, false, err
	}
	c := exec.Command(self, "-outside")
	if runtime.NumCPU() > 1 && exec.Command("taskset", "-a", "-c", "-p", "1", strconv.Itoa(os.Getpid())).Run() == nil {
		pinned = true
		runtime.GOMAXPROCS(1)
		c = exec.Command("taskset", "-c", "0", self, "-outside")
	}
	c.Stderr = os.Stderr
	to, err := c.StdinPipe()
	if err != nil {
		return nil, false, err
	}
	from, err := c.StdoutPipe()
	if err != nil {
		return nil, false, err
	}
	if err := c.Start(); err != nil {
		return nil, false, err
	}
	w, err = newWorld(to, from)
	if err != nil {
		return nil, false, err
	}
	w.wait = c.Wait
	return w, pinned, nil
}

// load is how many processes of the machine wanted a CPU in the last minute, as
// Linux tells it.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}

// origin says how and where the figures were made, and how busy it was there.
func origin(o options, pinned bool, load string) string {
	where := "one CPU for the client or the proxy, another for the rest"
	if !pinned {
		where = "all processes on the same CPUs"
	}
	return fmt.Sprintf("Medians of %d rounds, by `go run ./cmd/exchanges` in bench/peers on %s (%s), %s %s/%s; load before: %s.\n",
		o.rounds, page.Processor(), where, runtime.Version(), runtime.GOOS, runtime.GOARCH, load)
}

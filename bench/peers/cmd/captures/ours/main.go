// Command ours reads a capture as package capture does, or makes one, for the
// command captures, which measures it: nothing else is in this process.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"time"

	"why520/capture"
	"why520/capture/captest"
)

func main() {
	work := flag.String("work", "verdicts", "verdicts, held, evicting, packets, bytes or make")
	packets := flag.Int("packets", 0, "about how many packets to make")
	flag.Parse()
	var err error
	if *work == "make" {
		err = create(flag.Arg(0), *packets)
	} else {
		err = readFile(flag.Arg(0), *work)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// create writes a capture: of twenty flows nineteen are sound, one is of the
// labelled classes in turn; one flow in ten over IPv6, one in fifty in a VLAN.
func create(path string, packets int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	const perFlow = 11.8
	flows := captest.Flows(captest.Options{Seed: 1, Flows: int(float64(packets) / perFlow), Clean: 19, Content: 3000, Spacing: 200 * time.Microsecond})
	if err := captest.WritePcap(f, captest.Merge(flows), captest.Format{}); err != nil {
		return err
	}
	return f.Close()
}

// held are options under which no flow goes before the end of the file.
var held = capture.Options{Linger: 24 * time.Hour, Silent: 24 * time.Hour, All: true}

// readFile does what is measured.
func readFile(path, work string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	switch work {
	case "verdicts":
		return verdicts(f, capture.Options{})
	case "held":
		return verdicts(f, held)
	case "evicting":
		o := held
		o.Flows = 1 << 14
		return verdicts(f, o)
	case "packets":
		r, err := capture.NewReader(f)
		var p capture.Packet
		for err == nil {
			err = r.Next(&p)
		}
		return ended(err)
	case "bytes":
		b := make([]byte, 512<<10) // as a capture.Reader has
		for err == nil {
			_, err = f.Read(b)
		}
		return ended(err)
	}
	return fmt.Errorf("there is no work called %q", work)
}

func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// verdicts reads a capture as the command why520 does.
func verdicts(f *os.File, o capture.Options) error {
	own := os.Getenv("GOGC") == "" // percents as the command has them
	if own {
		debug.SetGCPercent(70)
	}
	t := capture.NewTracker(o, func(*capture.Flow) {})
	r, err := capture.NewReader(f)
	if err != nil {
		return err
	}
	var p capture.Packet
	for {
		if err = r.Next(&p); err != nil {
			break
		}
		t.Packet(&p)
	}
	if err := ended(err); err != nil {
		return err
	}
	if own {
		debug.SetGCPercent(20)
	}
	t.Close()
	s := t.Stats()
	fmt.Printf("%d packets, %d flows: %d sound, %d faulty, %d evicted, %d not followed\n", s.Packets, s.Flows, s.Sound, s.Faulty, s.Evicted, s.Missed)
	return nil
}

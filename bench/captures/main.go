// Command captures measures how much CPU time and memory readers of captures
// take for one file: package capture, gopacket, and tshark, tcptrace and tcpdump
// where they are installed. Each works in a process of its own, all in turn, several times;
// the table has the median.
//
//	go run ./bench/captures -packets 3000000 -file captures.pcap
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"why520/capture"
	"why520/capture/captest"
)

// A reader is a program that is measured.
type reader struct {
	name    string
	command []string // FILE stands for the file
	slow    bool     // measured once, and only with -slow
}

var readers = []reader{
	{"why520 capture, verdicts", []string{"SELF", "-read", "FILE"}, false},
	{"why520 capture, all flows held to the end", []string{"SELF", "-read", "FILE", "-work", "held"}, false},
	{"why520 capture, evicting beyond 16,384", []string{"SELF", "-read", "FILE", "-work", "evicting"}, false},
	{"why520 capture, packets alone", []string{"SELF", "-read", "FILE", "-work", "packets"}, false},
	{"read() of 256 KiB", []string{"SELF", "-read", "FILE", "-work", "bytes"}, false},
	{"gopacket NewPacketSource", []string{"SELF", "-read", "FILE", "-work", "gopacket"}, false},
	{"tcpdump, filter for RST, no state", []string{"tcpdump", "-n", "-r", "FILE", "-w", "/dev/null", "tcp[13] & 4 != 0"}, false},
	{"tcptrace", []string{"tcptrace", "-n", "FILE"}, true},
	{"tshark -2, tcp.completeness", []string{"tshark", "-n", "-2", "-r", "FILE", "-Y", "tcp.flags.reset==1 && tcp.completeness >= 0", "-w", "/dev/null"}, true},
}

// held are options under which no flow goes before the end of the file.
var held = capture.Options{Linger: 24 * time.Hour, Silent: 24 * time.Hour, All: true}

func main() {
	var (
		file    = flag.String("file", "", "capture to read; where it is missing it is made (needed)")
		packets = flag.Int("packets", 3_000_000, "about how many packets to make")
		rounds  = flag.Int("rounds", 3, "how often each reader reads, in turn")
		slow    = flag.Bool("slow", false, "measure those too that take minutes and gigabytes, once")
		read    = flag.String("read", "", "read this file and do nothing else")
		work    = flag.String("work", "verdicts", "with -read: verdicts, held, evicting, packets, bytes or gopacket; with -file: make")
	)
	flag.Parse()
	var err error
	switch {
	case *read != "":
		err = readFile(*read, *work)
	case *file == "":
		err = fmt.Errorf("say with -file where the capture is, or may be made")
	case *work == "make":
		err = create(*file, *packets)
	default:
		if _, missing := os.Stat(*file); missing != nil {
			// In a process of its own: the memory of this one counts as that of those it starts.
			err = exec.Command(os.Args[0], "-file", *file, "-packets", fmt.Sprint(*packets), "-work", "make").Run()
		}
		if err == nil {
			err = measure(*file, *rounds, *slow)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "captures:", err)
		os.Exit(1)
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

// A result is what one run took.
type result struct {
	seconds float64 // of CPU, user and system
	peak    int64   // bytes
	output  string
}

func measure(path string, rounds int, slow bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	results := map[string][]result{}
	for round := range rounds {
		for _, r := range readers {
			if r.slow && (round > 0 || !slow) {
				continue
			}
			args := slices.Clone(r.command)
			for i, a := range args {
				args[i] = strings.NewReplacer("SELF", self, "FILE", path).Replace(a)
			}
			if _, err := exec.LookPath(args[0]); err != nil {
				continue
			}
			one, err := run(args)
			if err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			results[r.name] = append(results[r.name], one)
		}
	}
	return table(path, results)
}

// table prints medians. Peak memory is the system's measure of the process.
func table(path string, results map[string][]result) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	first := results[readers[0].name]
	var n, flows int64
	if _, err := fmt.Sscanf(first[0].output, "%d packets, %d flows", &n, &flows); err != nil {
		return err
	}
	fmt.Printf("%d packets, %.2f GB, %d flows\n\n", n, float64(info.Size())/1e9, flows)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "|\t| CPU s\t| ns/packet\t| CPU, ours = 1\t| peak memory\t|")
	fmt.Fprintln(w, "|---\t|---\t|---\t|---\t|---\t|")
	ours := median(first).seconds
	for _, r := range readers {
		if all := results[r.name]; len(all) > 0 {
			m := median(all)
			fmt.Fprintf(w, "| %s\t| %.2f\t| %.0f\t| %.2f\t| %.0f MB\t|\n", r.name, m.seconds, m.seconds*1e9/float64(n), m.seconds/ours, float64(m.peak)/1e6)
		}
	}
	w.Flush()
	fmt.Printf("\n%s\n", first[0].output)
	return nil
}

func median(all []result) result {
	slices.SortFunc(all, func(a, b result) int {
		if a.seconds < b.seconds {
			return -1
		}
		return 1
	})
	return all[len(all)/2]
}

// run runs a command and measures it.
func run(args []string) (result, error) {
	c := exec.Command(args[0], args[1:]...)
	var out []byte
	var err error
	if slices.Contains(args, "-read") {
		out, err = c.Output()
	} else { // output kept here would count as memory of the commands that follow
		err = c.Run()
	}
	if err != nil {
		return result{}, err
	}
	s := c.ProcessState
	one := result{seconds: (s.UserTime() + s.SystemTime()).Seconds(), peak: peak(s)}
	one.output = strings.TrimSpace(string(out))
	return one, nil
}

// readFile does what is measured.
func readFile(path, work string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	switch work {
	case "bytes":
		b := make([]byte, 256<<10)
		for err == nil {
			_, err = f.Read(b)
		}
		return nil
	case "packets":
		r, err := capture.NewReader(f)
		var p capture.Packet
		for err == nil {
			err = r.Next(&p)
		}
		return nil
	case "held":
		return verdicts(f, held)
	case "evicting":
		o := held
		o.Flows = 1 << 14
		return verdicts(f, o)
	case "gopacket":
		return packetSource(f)
	}
	return verdicts(f, capture.Options{})
}

package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"time"

	"why520/capture/captest"
)

type options struct {
	file            string
	packets, rounds int
	slow            bool
	live            int // packets
}

// A reader is a program that is measured.
type reader struct {
	name    string
	command []string // FILE stands for the file, SELF for this program
	slow    bool     // measured once, and only with -slow
}

// ours is what the others are compared with.
const ours = "why520 capture"

var readers = []reader{
	{ours, []string{"SELF", "-read", "FILE"}, false},
	{ours + ", all flows held to the end", []string{"SELF", "-read", "FILE", "-work", "held"}, false},
	{ours + ", evicting beyond 16,384", []string{"SELF", "-read", "FILE", "-work", "evicting"}, false},
	{ours + ", packets alone", []string{"SELF", "-read", "FILE", "-work", "packets"}, false},
	{"read() alone", []string{"SELF", "-read", "FILE", "-work", "bytes"}, false},
	{"tcpdump, filter for resets, no state", []string{"tcpdump", "-n", "-r", "FILE", "-w", "/dev/null", "tcp[13] & 4 != 0"}, false},
	{"gopacket, NewPacketSource, no state", []string{"SELF", "-read", "FILE", "-work", "gopacket"}, false},
	{"tcptrace", []string{"tcptrace", "-n", "FILE"}, true},
	{"tshark -2, tcp.completeness", []string{"tshark", "-n", "-2", "-r", "FILE", "-Y", "tcp.flags.reset==1 && tcp.completeness >= 0", "-w", "/dev/null"}, true},
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
	peak    int64   // bytes of memory
	output  string
}

// figures are what was measured.
type figures struct {
	packets, flows int64
	size           int64             // bytes of the file
	results        map[string]result // by the name of the reader
	live           *live             // nil: it was not measured
}

func (o options) measure() (f figures, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	if _, missing := os.Stat(o.file); missing != nil {
		// In a process of its own: the memory of this one counts as that of those it starts.
		if err := exec.Command(self, "-file", o.file, "-packets", fmt.Sprint(o.packets), "-work", "make").Run(); err != nil {
			return f, fmt.Errorf("making the capture: %w", err)
		}
	}
	info, err := os.Stat(o.file)
	if err != nil {
		return f, err
	}
	f.size = info.Size()
	all := map[string][]result{}
	for round := range o.rounds {
		for _, r := range readers {
			if r.slow && (round > 0 || !o.slow) {
				continue
			}
			args := slices.Clone(r.command)
			for i, a := range args {
				args[i] = strings.NewReplacer("SELF", self, "FILE", o.file).Replace(a)
			}
			if _, err := exec.LookPath(args[0]); err != nil {
				continue
			}
			one, err := once(args)
			if err != nil {
				return f, fmt.Errorf("%s: %w", r.name, err)
			}
			all[r.name] = append(all[r.name], one)
		}
	}
	f.results = map[string]result{}
	for name, results := range all {
		f.results[name] = median(results)
	}
	if _, err := fmt.Sscanf(f.results[ours].output, "%d packets, %d flows", &f.packets, &f.flows); err != nil {
		return f, fmt.Errorf("%q: %w", f.results[ours].output, err)
	}
	if o.live > 0 {
		f.live, err = measureLive(o.live)
	}
	return f, err
}

func median(all []result) result {
	slices.SortFunc(all, func(a, b result) int { return cmp.Compare(a.seconds, b.seconds) })
	return all[len(all)/2]
}

// once runs a command and measures it.
func once(args []string) (result, error) {
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
	return result{(s.UserTime() + s.SystemTime()).Seconds(), peak(s), strings.TrimSpace(string(out))}, nil
}

// peak gives the most memory that a process that ended had, in bytes; 0 where the
// system does not say.
func peak(s *os.ProcessState) int64 {
	u := reflect.ValueOf(s.SysUsage())
	if u.Kind() != reflect.Pointer || u.Elem().Kind() != reflect.Struct {
		return 0
	}
	if rss := u.Elem().FieldByName("Maxrss"); rss.IsValid() && rss.CanInt() {
		return rss.Int() * 1024 // of Linux
	}
	return 0
}

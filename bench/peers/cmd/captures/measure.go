package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
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
	command []string // FILE stands for the file; a package below this one is built
	slow    bool     // measured once, and only with -slow
}

// ours is what the others are compared with.
const ours = "why520 capture"

var readers = []reader{
	{ours, []string{"./ours", "FILE"}, false},
	{ours + ", all flows held to the end", []string{"./ours", "-work", "held", "FILE"}, false},
	{ours + ", evicting beyond 16,384", []string{"./ours", "-work", "evicting", "FILE"}, false},
	{ours + ", packets alone", []string{"./ours", "-work", "packets", "FILE"}, false},
	{"read() alone", []string{"./ours", "-work", "bytes", "FILE"}, false},
	{"tcpdump, filter for resets, no state", []string{"tcpdump", "-n", "-r", "FILE", "-w", "/dev/null", "tcp[13] & 4 != 0"}, false},
	{"gopacket, NewPacketSource, no state", []string{"./gopacket", "FILE"}, false},
	{"tcptrace", []string{"tcptrace", "-n", "FILE"}, true},
	{"tshark -2, tcp.completeness", []string{"tshark", "-n", "-2", "-r", "FILE", "-Y", "tcp.flags.reset==1 && tcp.completeness >= 0", "-w", "/dev/null"}, true},
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
	built, err := os.MkdirTemp("", "captures")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(built)
	for _, name := range []string{"ours", "gopacket"} {
		build := exec.Command("go", "build", "-o", filepath.Join(built, name), "why520/bench/peers/cmd/captures/"+name)
		if out, err := build.CombinedOutput(); err != nil {
			return f, fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	if o.file == "" {
		o.file = filepath.Join(built, "made.pcap")
	}
	if _, missing := os.Stat(o.file); missing != nil {
		if out, err := exec.Command(filepath.Join(built, "ours"), "-work", "make", "-packets", fmt.Sprint(o.packets), o.file).CombinedOutput(); err != nil {
			return f, fmt.Errorf("making the capture: %w\n%s", err, out)
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
			args[slices.Index(args, "FILE")] = o.file
			if name, ours := strings.CutPrefix(args[0], "./"); ours {
				args[0] = filepath.Join(built, name)
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
	if filepath.Base(args[0]) == "ours" {
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

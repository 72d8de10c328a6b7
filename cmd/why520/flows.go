package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"why520/capture"
	"why520/validator"
	"why520/validator/report"
	"why520/wire"
)

// A flowList prints flows as they come, and counts them.
type flowList struct {
	a       *app
	told    wire.Set // reasons that were printed with what to do
	reasons map[wire.Reason]int
	actors  map[string]int
	stages  map[string]int
	read    bool // packets were: there is something to count
	stats   capture.Stats
	drops   int64
	page    *drawing // nil: nobody asked
}

// newFlowList makes a flowList; page names the file of --html, if any.
func newFlowList(a *app, page string) (*flowList, error) {
	l := &flowList{a: a, reasons: map[wire.Reason]int{}, actors: map[string]int{}, stages: map[string]int{}}
	if page != "" {
		file, err := os.Create(page)
		if err != nil {
			return nil, cannot(err)
		}
		l.page = &drawing{file: file}
	}
	return l, nil
}

// add prints and counts a flow.
func (l *flowList) add(f *capture.Flow) error {
	a, reason := l.a, f.Verdict.Reason
	if !f.Verdict.OK() {
		a.failed = true
		l.reasons[reason]++
		l.actors[f.ResetBy]++
		l.stages[f.Stage]++
	}
	l.page.add(f)
	if a.json {
		return a.print(f)
	}
	e := *f.Evidence
	e.Address = "" // the row says more
	o := report.Options{
		Color: a.color, Width: a.width, Brief: l.told.Has(reason),
		Rows: []report.Row{
			{Label: "when", Text: whenOf(f)},
			{Label: "flow", Text: whichOf(f)},
		},
	}
	l.told = l.told.With(reason)
	if err := a.wrote(report.Text(a.out, &e, &f.Verdict, o)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out)
	return a.wrote(err)
}

// whenOf says when a flow was.
func whenOf(f *capture.Flow) string {
	return fmt.Sprintf("%s UTC, within %s", f.First.UTC().Format("2006-01-02 15:04:05.000000"), lasted(f.Last.Sub(f.First)))
}

// whichOf says which flow it was.
func whichOf(f *capture.Flow) string {
	return fmt.Sprintf("%v -> %v, %s, handshake %s%s", f.Client, f.Origin, several(int64(f.Packets), "packet"), f.Handshake, inVLAN(f.VLAN))
}

func inVLAN(number uint16) string {
	if number == 0 {
		return ""
	}
	return fmt.Sprintf(", VLAN %d", number)
}

// lasted says a duration to three digits.
func lasted(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%d us", d.Microseconds())
}

// several gives a number of things.
func several(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// count adds what a Tracker met to the counts.
func (l *flowList) count(s capture.Stats, drops int64) {
	t := &l.stats
	l.read = true
	t.Packets += s.Packets
	t.Flows += s.Flows
	t.Faulty += s.Faulty
	t.Unsure += s.Unsure
	t.Broken += s.Broken
	t.Evicted += s.Evicted
	t.Missed += s.Missed
	l.drops += drops
}

// actors are the words for who reset.
var actors = map[string]string{
	capture.ByOrigin: "by the origin", capture.ByClient: "by the client", capture.Injected: "forged", "": "no reset",
}

// finish prints the counts, and writes the page on what source had.
func (l *flowList) finish(source string) error {
	if err := l.page.finish(source, l); err != nil {
		return err
	}
	if l.a.json || !l.read {
		return nil
	}
	_, err := fmt.Fprint(l.a.out, l.summary())
	return l.a.wrote(err)
}

func (l *flowList) summary() string {
	var text strings.Builder
	s := &l.stats
	for _, line := range foldText(l.headline(), l.a.width) {
		text.WriteString(line + "\n")
	}
	row := func(label, line string) { fmt.Fprintf(&text, "  %-8s%s\n", label, line) }
	label := "reason"
	for _, r := range byCount(l.reasons, func(a, b wire.Reason) int { return cmp.Compare(a, b) }) {
		row(label, fmt.Sprintf("%d %-40s %8d", validator.NamesOf(r).EdgeStatus, r.String(), l.reasons[r]))
		label = ""
	}
	rows := func(label, text string) {
		for _, line := range foldText(text, l.a.width-10) {
			row(label, line)
			label = ""
		}
	}
	list := func(label string, counts map[string]int, words map[string]string) {
		var parts []string
		for _, k := range byCount(counts, strings.Compare) {
			parts = append(parts, fmt.Sprintf("%s %d", cmp.Or(words[k], k), counts[k]))
		}
		rows(label, strings.Join(parts, ", "))
	}
	if len(l.reasons) > 0 {
		list("reset", l.actors, actors)
		list("stage", l.stages, nil)
	}
	if s.Unsure > 0 {
		rows("note", several(s.Unsure, "flow")+" may be one besides: the verdict is open (--all prints such flows)")
	}
	for _, n := range []struct {
		count int64
		text  string
	}{
		{l.drops, "packets were lost by the capture: verdicts are less certain"},
		{s.Broken, "packets were cut before their headers end, or malformed"},
		{s.Evicted, "flows were given up before they were over: there were too many"},
		{s.Missed, "flows were not followed into HTTP: there was too much to hold"},
	} {
		if n.count > 0 {
			rows("note", fmt.Sprintf("%d %s", n.count, n.text))
		}
	}
	return text.String()
}

// headline says how many flows are refused.
func (l *flowList) headline() string {
	unknown := int64(0)
	for r, n := range l.reasons {
		if validator.NamesOf(r).EdgeStatus == 520 {
			unknown += int64(n)
		}
	}
	return fmt.Sprintf("%s would be a 520, %d a neighbour of it, of %d in %s",
		several(unknown, "flow"), l.stats.Faulty-unknown, l.stats.Flows, several(l.stats.Packets, "packet"))
}

// byCount gives the keys of counts, the commonest first.
func byCount[K comparable](counts map[K]int, compare func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(counts[b]-counts[a], compare(a, b))
	})
}

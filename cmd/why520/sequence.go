package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"why520/capture"
	"why520/validator"
	"why520/validator/report"
	"why520/wire"
)

//go:embed sequence.html
var sequenceHTML string

var sequencePage = template.Must(template.New("sequence").Parse(sequenceHTML))

const (
	tracedPackets = 64  // of a flow, that its diagram shows
	drawnFlows    = 300 // on a page; the others are counted
)

// A drawing is the page of --html in the making.
type drawing struct {
	file  io.WriteCloser
	flows []*capture.Flow
	more  int
}

// add keeps a flow for the page.
func (d *drawing) add(f *capture.Flow) {
	if d == nil {
		return
	}
	if len(d.flows) == drawnFlows {
		d.more++
		return
	}
	d.flows = append(d.flows, f)
}

// A sequence is a flow as the page shows it.
type sequence struct {
	OK                          bool
	Title, Message, When, Which string
	Who, Remedy, Client, Origin string
	Seen                        []string
	Rows                        []sequenceRow
	Height, Bottom              int
}

// A sequenceRow is a packet, or a pause between packets.
type sequenceRow struct {
	Pause       string // what lies between packets; empty: it is a packet
	Y, Above    int
	From, To    int
	Class       string
	Time, Label string
	Numbers     string
	Head        string // corners of the arrow's head
}

// A reasonCount is a line of the page's table.
type reasonCount struct {
	Status int
	Reason string
	Count  int
}

// finish writes the page.
func (d *drawing) finish(source string, l *flowList) error {
	if d == nil {
		return nil
	}
	page := struct {
		Source, Headline string
		Counts           []reasonCount
		Flows            []sequence
		More             int
	}{Source: source, Headline: l.headline(), More: d.more}
	for _, r := range byCount(l.reasons, func(a, b wire.Reason) int { return cmp.Compare(a, b) }) {
		page.Counts = append(page.Counts, reasonCount{validator.NamesOf(r).EdgeStatus, r.String(), l.reasons[r]})
	}
	for _, f := range d.flows {
		page.Flows = append(page.Flows, draw(f))
	}
	err := sequencePage.Execute(d.file, page)
	if failed := d.file.Close(); err == nil {
		err = failed
	}
	if err != nil {
		return cannot(fmt.Errorf("writing the page: %w", err))
	}
	return nil
}

// draw makes the diagram of a flow.
func draw(f *capture.Flow) sequence {
	s := sequence{
		OK: f.Verdict.OK(), Title: "ok", Message: sentence(f.Verdict.Message), When: whenOf(f), Which: whichOf(f),
		Remedy: validator.Remedy(f.Verdict.Reason), Client: f.Client.String(), Origin: f.Origin.String(),
	}
	if !s.OK {
		s.Title = fmt.Sprintf("%d %s", f.Verdict.EdgeStatus, f.Verdict.Reason.String())
	}
	if t := f.Evidence.TCP; t != nil {
		s.Who, s.Seen = sentence(report.Who(t)), t.Evidence
	}
	const (
		first, row                   = 66, 34
		clientX, originX, head, half = 230, 590, 9, 4
	)
	y := first
	pause := func(format string, args ...any) {
		s.Rows = append(s.Rows, sequenceRow{Pause: fmt.Sprintf(format, args...), Y: y})
		y += row
	}
	var base [2]*uint32 // first sequence number of each side
	last := f.First
	for i := range f.Trace {
		p := &f.Trace[i]
		silent := p.Time.Sub(last)
		switch {
		case p.Skipped > 0:
			pause("%s more, within %s", several(int64(p.Skipped), "packet"), lasted(silent))
		case silent >= time.Second:
			pause("%s of silence", lasted(silent))
		}
		last = p.Time
		side, x, to, back := 0, clientX, originX, originX-head
		if p.FromOrigin {
			side, x, to, back = 1, originX, clientX, clientX+head
		}
		if base[side] == nil {
			base[side] = &p.Seq
		}
		numbers := fmt.Sprintf("seq %d", p.Seq-*base[side])
		if other := base[1-side]; p.Flags&capture.ACK != 0 && other != nil && p.Ack-*other < 1<<30 {
			numbers += fmt.Sprintf(" ack %d", p.Ack-*other)
		}
		s.Rows = append(s.Rows, sequenceRow{
			Y: y, Above: y - 6, From: x, To: to, Class: classOf(p, f.ResetBy), Time: "+" + lasted(p.Time.Sub(f.First)),
			Label: labelOf(p), Numbers: numbers, Head: fmt.Sprintf("%d,%d %d,%d %d,%d", to, y, back, y-half, back, y+half),
		})
		y += row
	}
	s.Bottom, s.Height = y-row/2, y
	return s
}

// sentence begins text with a capital, and ends it with a full stop.
func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// labelOf says a packet's flags and length.
func labelOf(p *capture.Passed) string {
	var names []string
	for _, flag := range []struct {
		bit  uint8
		name string
	}{{capture.SYN, "SYN"}, {capture.FIN, "FIN"}, {capture.RST, "RST"}, {capture.PSH, "PSH"}, {capture.ACK, "ACK"}, {capture.URG, "URG"}} {
		if p.Flags&flag.bit != 0 {
			names = append(names, flag.name)
		}
	}
	label := cmp.Or(strings.Join(names, "+"), "no flags")
	if p.Length > 0 {
		label += ", " + several(int64(p.Length), "byte")
	}
	return label
}

// classOf gives how a packet is drawn.
func classOf(p *capture.Passed, resetBy string) string {
	switch {
	case p.Flags&capture.RST != 0 && resetBy == capture.Injected:
		return "rst forged"
	case p.Flags&capture.RST != 0:
		return "rst"
	case p.Flags&capture.SYN != 0:
		return "syn"
	case p.Flags&capture.FIN != 0:
		return "fin"
	case p.Length > 0:
		return "data"
	}
	return "ack"
}

package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"why520/validator"
	"why520/wire"
)

// Options say how Text writes.
type Options struct {
	Color bool  // with ANSI escapes
	Width int   // columns; 0: 80
	Rows  []Row // that stand behind the headline
	Brief bool  // without what to do
}

// A Row is text behind a label of at most five letters.
type Row struct{ Label, Text string }

// Text writes a verdict for a person: what the origin did in one line, what was
// seen, which edges would have passed it, what to do, and how to see it again.
// The error is w's.
func Text(w io.Writer, e *validator.Evidence, v *validator.Verdict, o Options) error {
	p := &page{o: o}
	if p.o.Width == 0 {
		p.o.Width = 80
	}
	p.headline(e, v)
	for _, r := range o.Rows {
		p.section(r.Label, r.Text)
	}
	p.seen(e)
	p.tcp(e)
	if !v.OK() {
		p.fault(e, v)
		p.findings(v.Findings[1:], "also")
	}
	p.findings(v.Notes, "note")
	p.budgets(e, v)
	p.timing(e)
	if remedy := validator.Remedy(v.Reason); remedy != "" && !o.Brief {
		p.section("do", remedy)
	}
	if !v.OK() && e.Target != "" {
		for i, line := range strings.Split(Curl(e), "\n") {
			label := ""
			if i == 0 {
				label = "again"
			}
			p.row(label, line)
		}
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// A page is a text in the making: labels in a column of their own.
type page struct {
	o    Options
	text strings.Builder
}

const indent = "        "

func (p *page) paint(code, s string) string {
	if !p.o.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

const (
	red    = "1;31"
	green  = "1;32"
	yellow = "33"
	faint  = "2"
)

func (p *page) raw(line string) { p.text.WriteString(strings.TrimRight(line, " ") + "\n") }

// row writes a line behind a label.
func (p *page) row(label, line string) {
	p.raw(p.paint(faint, fmt.Sprintf("%-*s", len(indent), "  "+label)) + line)
}

// section writes text, folded, behind a label.
func (p *page) section(label, text string) {
	for i, line := range fold(text, p.o.Width-len(indent)) {
		if i > 0 {
			label = ""
		}
		p.row(label, line)
	}
}

// headline says the verdict.
func (p *page) headline(e *validator.Evidence, v *validator.Verdict) {
	where := e.Target
	if e.Address != "" && !strings.Contains(e.Target, "//"+e.Address) {
		where = strings.TrimPrefix(where+" at "+e.Address, " ")
	}
	if where != "" {
		where = " " + escape([]byte(where))
	}
	if e.Reused {
		where += " (on the same connection)"
	}
	if v.OK() {
		p.raw(p.paint(green, "ok") + where)
	} else {
		p.raw(p.paint(red, fmt.Sprintf("%d %s", v.EdgeStatus, v.Reason.String())) + where)
	}
	message := upper(v.Message)
	if !strings.HasSuffix(message, "...") {
		message += "."
	}
	p.section("", message)
}

// seen says how far the exchange came.
func (p *page) seen(e *validator.Evidence) {
	s := "phase " + e.Phase.String()
	if e.Sent > 0 {
		s += "; " + count(e.Sent, "byte") + " sent"
		if e.Acked >= 0 {
			s += fmt.Sprintf(", %d acknowledged", e.Acked)
		}
	}
	s += "; " + count(e.Received, "byte") + " received; " + endText(e)
	p.section("seen", s)
	if t := e.TLS; t != nil && t.Version != "" {
		p.section("tls", fmt.Sprintf("%s, %s", t.Version, t.Cipher))
	}
	if r := e.Response; r != nil && r.Head != nil {
		h := r.Head
		whole := ""
		if !h.Complete {
			whole = ", as far as it came"
		}
		s := fmt.Sprintf("HTTP/1.%d %d; %s, %s%s", h.Minor, h.Status, count(int64(h.Fields), "field line"), count(int64(h.Size), "byte"), whole)
		if b := r.Body; b != nil && b.Framing != "none" {
			s += "; content by " + framingText[b.Framing] + ", " + count(b.Bytes, "byte")
		}
		p.section("head", s)
	}
}

// tcp says what a capture adds: who reset, and what speaks for that.
func (p *page) tcp(e *validator.Evidence) {
	t := e.TCP
	if t == nil {
		return
	}
	p.section("who", Who(t))
	for _, seen := range t.Evidence {
		for i, line := range fold(seen, p.o.Width-len(indent)-2) {
			mark := "- "
			if i > 0 {
				mark = "  "
			}
			p.row("", mark+line)
		}
	}
}

// Who says who reset, at which stage, and how sure that is: "the origin reset,
// stage in-head: certain".
func Who(t *validator.TCPFacts) string {
	who := "nobody reset"
	switch t.ResetBy {
	case "":
	case "injected":
		who = "the reset is forged"
	default:
		who = "the " + t.ResetBy + " reset"
	}
	if t.Stage != "" {
		who += ", stage " + t.Stage
	}
	return who + ": " + t.Confidence
}

var framingText = map[string]string{"length": "length", "chunked": "chunks", "close": "the connection's end", "tunnel": "tunnel"}

func endText(e *validator.Evidence) string {
	switch e.End {
	case wire.Open:
		if e.Response != nil && e.Response.Reason != wire.OK {
			return "we stopped reading there"
		}
		return "the connection stayed open"
	case wire.FIN:
		return "closed by the origin"
	case wire.RST:
		if e.TCP != nil && e.TCP.ResetBy == "injected" {
			return "reset in the origin's name"
		}
		return "reset by the origin"
	case wire.Timeout:
		return "then silence"
	case wire.Deadline:
		return "still arriving at the deadline"
	case wire.Truncated:
		return "closed by the origin, without close_notify"
	case validator.Refused:
		return "refused"
	case validator.Alert:
		if e.TLS != nil {
			return fmt.Sprintf("TLS alert %d", e.TLS.Alert)
		}
	case validator.Certificate, validator.ALPN, validator.Version:
		return "broken off by us"
	}
	return strings.ReplaceAll(e.End.String(), "-", " ")
}

// fault shows the bytes at fault, or how the response begins.
func (p *page) fault(e *validator.Evidence, v *validator.Verdict) {
	if v.Offset >= 0 && e.Response != nil {
		label := "byte"
		if part := e.Response.Part; part != "" {
			if !strings.HasPrefix(part, "field line") {
				part = "the " + part
			}
			p.section("where", fmt.Sprintf("byte %d, in %s", v.Offset, part))
			label = ""
		}
		for _, line := range dump(e.Response, v.Offset, p.o.Width-len(indent)-16) {
			p.row(label, line)
			label = ""
		}
		return
	}
	if e.Response != nil && len(e.Response.Raw) > 0 {
		for i, line := range start(e.Response.Raw, p.o.Width-len(indent)-4, 4) {
			label := ""
			if i == 0 {
				label = "first"
			}
			p.row(label, line)
		}
	}
	if e.Error != "" && e.Response == nil {
		p.section("error", escape([]byte(e.Error)))
	}
}

// findings lists what else there is; the same reason again and again is
// counted.
func (p *page) findings(all []validator.Finding, label string) {
	counts := map[wire.Reason]int{}
	for _, f := range all {
		counts[f.Reason]++
	}
	for _, f := range all {
		n := counts[f.Reason]
		if n == 0 {
			continue
		}
		counts[f.Reason] = 0
		s := f.Reason.String()
		if f.Offset >= 0 {
			s += fmt.Sprintf(" at byte %d", f.Offset)
		}
		if n > 1 {
			s += " and at " + count(int64(n-1), "place") + " more"
		}
		p.section(label, s+": "+f.Message)
	}
}

// budgets says which edges pass the head, and what makes it large.
func (p *page) budgets(e *validator.Evidence, v *validator.Verdict) {
	r := e.Response
	if r == nil || r.Head == nil {
		return
	}
	large := v.Cause == "head-too-large"
	for _, n := range v.Notes {
		large = large || n.Reason == wire.NearBudget
	}
	if large && len(r.Head.Largest) > 0 {
		for i, f := range r.Head.Largest {
			label := ""
			if i == 0 {
				label = "large"
			}
			p.row(label, fmt.Sprintf("%6d bytes in %s: %s", f.Bytes, count(int64(f.Count), "line"), escape([]byte(f.Name))))
		}
	}
	if !r.Head.Complete {
		return
	}
	var pass, refuse []string
	for _, edge := range edgesFor(r) {
		if edge.Pass {
			pass = append(pass, edge.Edge)
		} else {
			refuse = append(refuse, fmt.Sprintf("%s (%s)", edge.Edge, edge.Limit))
		}
	}
	switch {
	case len(refuse) == 0:
		p.section("edges", fmt.Sprintf("the head fits the budgets of all %d edges known here", len(pass)))
	case len(pass) == 0:
		p.section("edges", "the head is too large for all edges known here")
	default:
		p.section("edges", "the head is too large for "+strings.Join(refuse, ", "))
		p.section("", "and fits "+strings.Join(pass, ", "))
	}
}

func (p *page) timing(e *validator.Evidence) {
	t := e.Timing
	var parts []string
	for _, x := range []struct {
		name string
		d    time.Duration
	}{{"dns", t.DNS}, {"connect", t.Connect}, {"tls", t.TLS}, {"request", t.Request}, {"wait", t.Wait}, {"head", t.Head}, {"body", t.Body}, {"total", t.Total}} {
		if x.d > 0 {
			parts = append(parts, x.name+" "+milliseconds(x.d))
		}
	}
	if len(parts) > 0 {
		p.section("time", strings.Join(parts, ", "))
	}
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// fold breaks text into lines of at most width columns, at spaces.
func fold(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Split(text, " ") {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// count gives a number of things.
func count(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

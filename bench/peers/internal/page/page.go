// Package page puts what the commands of bench/peers measure into the README: a
// table between two comments, and a chart beside it. The commands run in
// bench/peers.
package page

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// README is where it stands, from bench/peers.
const README = "../../README.md"

// Publish writes the chart NAME.svg of the command of that name, and puts it,
// with alt as its text, and text into the README.
func Publish(name, alt, text string, c Chart) error {
	old, err := os.ReadFile(README)
	if err != nil {
		return err
	}
	updated, err := Replace(old, name, fmt.Sprintf("\n![%s](bench/peers/%s.svg)\n\n%s\n", alt, name, text))
	if err != nil {
		return err
	}
	svg, err := c.SVG()
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".svg", svg, 0o644); err != nil {
		return err
	}
	return os.WriteFile(README, updated, 0o644)
}

// Replace puts with between the comments in which text has a place for what the
// command of that name measured.
func Replace(text []byte, name, with string) ([]byte, error) {
	from, to := "./cmd/"+name+" -update -->\n", "<!-- /"+name+" -->"
	before, rest, begins := bytes.Cut(text, []byte(from))
	_, after, ends := bytes.Cut(rest, []byte(to))
	if !begins || !ends {
		return nil, fmt.Errorf("%s has no place for the table, from %q to %q", README, from, to)
	}
	return fmt.Appendf(nil, "%s%s%s%s%s", before, from, with, to, after), nil
}

// Processor is the name of the CPU, where the system tells it.
func Processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "an unknown CPU"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unknown CPU"
}

// Digits writes v with three digits that count.
func Digits(v float64) string {
	switch {
	case v >= 99.95:
		return fmt.Sprintf("%.0f", v)
	case v >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"why520/bench"
	"why520/bench/peers/internal/page"
)

// A grid is figures by case and parser, both in the order of Measure.
type grid struct {
	cases, parsers []string
	at             map[[2]string]bench.Figure
}

func gridOf(figures []bench.Figure) grid {
	g := grid{at: map[[2]string]bench.Figure{}}
	for _, f := range figures {
		if !slices.Contains(g.cases, f.Case) {
			g.cases = append(g.cases, f.Case)
		}
		if !slices.Contains(g.parsers, f.Parser) {
			g.parsers = append(g.parsers, f.Parser)
		}
		g.at[[2]string{f.Case, f.Parser}] = f
	}
	return g
}

// markdown gives the table: of the first parser the time, of the others the
// ratios.
func markdown(figures []bench.Figure) string {
	g := gridOf(figures)
	var (
		s     strings.Builder
		wrong []string
	)
	first, others := g.parsers[0], g.parsers[1:]
	fmt.Fprintf(&s, "| case | | %s | %s |\n|---|---|--:|%s\n", first, strings.Join(others, " | "), strings.Repeat("--:|", len(others)))
	for _, c := range g.cases {
		fmt.Fprintf(&s, "| %s | %s | %s ns |", c, about(c), page.Digits(g.at[[2]string{c, first}].Time))
		for _, p := range others {
			f, measured := g.at[[2]string{c, p}]
			switch {
			case !measured:
				s.WriteString(" |")
			case f.Wrong != nil:
				s.WriteString(" wrong |")
				wrong = append(wrong, fmt.Sprintf("%s on %d of %d inputs of %s", p, f.Wrong.Inputs, f.Wrong.Of, c))
			default:
				fmt.Fprintf(&s, " %s |", page.Digits(f.Ratio))
			}
		}
		s.WriteString("\n")
	}
	fmt.Fprintf(&s, "\nOf %s the time for one input; of the others, how many times as long they take.", first)
	if len(wrong) > 0 {
		fmt.Fprintf(&s, "\nWrong, and so not timed: %s.", strings.Join(wrong, ", "))
	}
	s.WriteString("\n")
	return s.String()
}

// about says what a case is.
func about(name string) string {
	for _, c := range bench.Cases() {
		if c.Name == name {
			return c.About
		}
	}
	return ""
}

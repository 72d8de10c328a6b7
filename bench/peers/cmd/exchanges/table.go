package main

import (
	"fmt"
	"slices"
	"strings"

	"why520/bench/peers/internal/page"
)

// markdown gives the table.
func markdown(figures []figure) string {
	var s strings.Builder
	s.WriteString("| where, connections | client | requests per CPU second | of net/http's | requests/s | allocations | bytes |\n|---|---|--:|--:|--:|--:|--:|\n")
	for _, f := range figures {
		fmt.Fprintf(&s, "| %s | %s | %.0f | %s | %.0f | %.1f | %.0f |\n", f.setting, f.client, f.perCPU, page.Digits(f.ratio), f.perSecond, f.allocs, f.bytes)
	}
	return s.String()
}

// chartOf shows each client but net/http at its ratio to that.
func chartOf(figures []figure) page.Chart {
	c := page.Chart{Title: "Requests per CPU second as a multiple of net/http's, the line; logarithmic"}
	for _, f := range figures {
		if !slices.Contains(c.Rows, f.setting) {
			c.Rows = append(c.Rows, f.setting)
		}
		if f.client == clients[0].name {
			continue
		}
		i := slices.IndexFunc(c.Series, func(s page.Series) bool { return s.Name == f.client })
		if i < 0 {
			i = len(c.Series)
			c.Series = append(c.Series, page.Series{Name: f.client, At: map[string]float64{}})
		}
		c.Series[i].At[f.setting] = f.ratio
	}
	return c
}

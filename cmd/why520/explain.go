package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"why520/validator"
	"why520/wire"
)

func (a *app) explain() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain [REASON|CAUSE]",
		Short: "Say what a reason or cause means and what to do; without argument the table",
		Args:  cobra.MaximumNArgs(1),
	}
	c.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return a.explainAll(wire.Reasons())
		}
		if r, ok := wire.ReasonByToken(args[0]); ok {
			if a.json {
				return a.print(explained(r))
			}
			return a.explainOne(r)
		}
		var of []wire.Reason
		for _, r := range wire.Reasons() {
			if string(validator.NamesOf(r).Cause) == args[0] {
				of = append(of, r)
			}
		}
		if len(of) == 0 {
			names := tokens()
			for _, r := range wire.Reasons() {
				names = append(names, string(validator.NamesOf(r).Cause))
			}
			return usage("no reason or cause is called %q; %s", args[0], suggest(args[0], names))
		}
		return a.explainAll(of)
	}
	return c
}

// An explanation is a reason as explain --json prints it.
type explanation struct {
	Reason      string `json:"reason"`
	Cause       string `json:"cause"`
	Severity    string `json:"severity"`
	EdgeStatus  int    `json:"edge_status,omitempty"`
	Meaning     string `json:"meaning"`
	RFC         string `json:"rfc,omitempty"`
	Tolerable   bool   `json:"tolerable"`
	Remedy      string `json:"remedy,omitempty"`
	ProxyStatus string `json:"proxy_status,omitempty"`
	NEL         string `json:"nel,omitempty"`
	CurlExit    *int   `json:"curl_exit,omitempty"`
}

func explained(r wire.Reason) explanation {
	info, names := r.Info(), validator.NamesOf(r)
	x := explanation{
		Reason: r.String(), Cause: string(names.Cause), Severity: "fail", EdgeStatus: names.EdgeStatus, Meaning: info.Meaning,
		RFC: info.RFC, Tolerable: r.Tolerable(), Remedy: validator.Remedy(r), ProxyStatus: names.ProxyStatus, NEL: names.NEL,
	}
	if info.Note {
		x.Cause, x.Severity = "note", "note"
	} else {
		x.CurlExit = &names.CurlExit
	}
	return x
}

// explainAll prints a table, grouped by cause.
func (a *app) explainAll(reasons []wire.Reason) error {
	if a.json {
		for _, r := range reasons {
			if err := a.print(explained(r)); err != nil {
				return err
			}
		}
		return nil
	}
	var order []string
	groups := map[string][]explanation{}
	for _, r := range reasons {
		x := explained(r)
		title := x.Cause
		if groups[title] == nil {
			order = append(order, title)
		}
		groups[title] = append(groups[title], x)
	}
	var t strings.Builder
	for i, cause := range order {
		if i > 0 {
			t.WriteString("\n")
		}
		fmt.Fprintf(&t, "%s\n", cause)
		for _, x := range groups[cause] {
			status := "   "
			if x.EdgeStatus > 0 {
				status = fmt.Sprint(x.EdgeStatus)
			}
			fmt.Fprintf(&t, "  %s %s\n", status, x.Reason)
			for _, line := range foldText(x.Meaning, a.width-6) {
				fmt.Fprintf(&t, "      %s\n", line)
			}
		}
	}
	_, err := fmt.Fprint(a.out, t.String())
	return a.wrote(err)
}

// explainOne prints all that is known of a reason.
func (a *app) explainOne(r wire.Reason) error {
	x := explained(r)
	var t strings.Builder
	fmt.Fprintf(&t, "%s\n", x.Reason)
	row := func(label, text string) {
		if text == "" {
			return
		}
		for i, line := range foldText(text, a.width-16) {
			if i > 0 {
				label = ""
			}
			fmt.Fprintf(&t, "  %-14s%s\n", label, line)
		}
	}
	row("meaning", x.Meaning)
	row("cause", x.Cause)
	if x.EdgeStatus > 0 {
		row("status", fmt.Sprint(x.EdgeStatus))
	}
	row("source", x.RFC)
	if x.Tolerable {
		row("tolerable", "yes: --tolerate "+x.Reason)
	}
	row("do", x.Remedy)
	row("proxy-status", x.ProxyStatus)
	row("nel", x.NEL)
	if x.CurlExit != nil {
		row("curl", fmt.Sprintf("exit status %d", *x.CurlExit))
	}
	_, err := fmt.Fprint(a.out, t.String())
	return a.wrote(err)
}

func foldText(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

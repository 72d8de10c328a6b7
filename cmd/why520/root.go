package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"why520/validator"
	"why520/validator/report"
	"why520/wire"
)

// Exit statuses of the command.
const (
	exitOK     = 0
	exitNotOK  = 1 // at least one verdict is not ok
	exitUsage  = 2
	exitNotAsk = 3 // the question could not be asked
)

// An exitError ends the command with a status. err may be nil: then all is said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return "exit status " + strconv.Itoa(e.code)
	}
	return e.err.Error()
}

// usage says what was asked wrongly. Of what args hold, nothing is printed that a
// terminal would obey; lines are our own.
func usage(format string, args ...any) error {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = typed(a)
		case error:
			args[i] = typed(a.Error())
		}
	}
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// typed is text that a user typed.
type typed string

func (t typed) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		fmt.Fprintf(f, "%q", string(t))
		return
	}
	fmt.Fprint(f, printable(string(t)))
}

// ownLines are text of several lines, of which each is printable.
type ownLines string

func cannot(err error) error { return &exitError{exitNotAsk, err} }

// An app is one run of the command.
type app struct {
	in       io.Reader
	out, log io.Writer
	json     bool
	color    bool
	width    int
	drop     bool // privileges are given up once a capture is open
	failed   bool // a verdict is not ok
	unasked  bool // a question could not be asked
}

// run runs the command and gives its exit status.
func run(ctx context.Context, args []string, in io.Reader, out, log io.Writer) int {
	return newApp(in, out, log).run(ctx, args)
}

func newApp(in io.Reader, out, log io.Writer) *app {
	a := &app{in: in, out: out, log: log, width: 80}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		_, never := os.LookupEnv("NO_COLOR")
		a.color = !never
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns >= 40 {
			a.width = min(columns, 100)
		}
	}
	return a
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.log)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	switch {
	case errors.As(err, &exit):
		if exit.err != nil {
			text := exit.err.Error()
			if exit.code != exitUsage {
				text = printable(text)
			}
			fmt.Fprintln(a.log, "why520:", text)
		}
		return exit.code
	case err != nil: // cobra's: of flags and arguments
		fmt.Fprintf(a.log, "why520: %v\nRun \"why520 --help\" for usage.\n", err)
		return exitUsage
	case a.unasked:
		return exitNotAsk
	case a.failed:
		return exitNotOK
	}
	return exitOK
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "why520",
		Short: "Says what an origin did that made an edge proxy answer 520",
		Long: `why520 asks an origin over HTTP/1.x, or reads bytes that it sent, and says what
it did, at which byte, and what to do about it.

Exit status: 0 every verdict is ok, 1 at least one is not, 2 wrong usage,
3 the question could not be asked.`,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errors.New(printable(err.Error())) })
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print one JSON object a line")
	root.AddCommand(a.check(), a.parse(), a.judge(), a.explain(), a.capture(), a.proxy(), a.replay(), a.lab(), a.demo())
	return root
}

// verdict prints a verdict.
func (a *app) verdict(e *validator.Evidence, v *validator.Verdict) error {
	a.failed = a.failed || !v.OK()
	if a.json {
		return a.print(report.JSON(e, v))
	}
	return a.wrote(report.Text(a.out, e, v, report.Options{Color: a.color, Width: a.width}))
}

// print prints v as a line of JSON.
func (a *app) print(v any) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	return a.wrote(encoder.Encode(v))
}

// wrote makes of an error of standard output one that ends the command.
func (a *app) wrote(err error) error {
	if err != nil {
		return cannot(fmt.Errorf("writing the result: %w", err))
	}
	return nil
}

// complain tells of a question that could not be asked; others go on.
func (a *app) complain(what string, err error) {
	a.unasked = true
	fmt.Fprintf(a.log, "why520: %s: %s\n", printable(what), printable(err.Error()))
}

// printable gives text, such as the name of a file, without what a terminal would
// obey.
func printable(text string) string {
	var b strings.Builder
	for i, r := range text {
		if unicode.IsPrint(r) && (r != utf8.RuneError || strings.HasPrefix(text[i:], "\uFFFD")) {
			b.WriteRune(r)
			continue
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		quoted := strconv.Quote(text[i : i+size])
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// policyFlags are the flags that say what is refused.
type policyFlags struct {
	budget, maxBody size
	edge, policy    string
	tolerate        []string
}

func (f *policyFlags) add(c *cobra.Command) {
	c.Flags().Var(&f.budget, "budget", "bytes that a head may have: 8192, 8KiB (default 8KiB)")
	c.Flags().StringVar(&f.edge, "edge", "", "take the budgets (check: and the deadlines) of this edge: nginx, cloudflare-2025, ...")
	c.Flags().StringVar(&f.policy, "policy", "strict", "strict, or report: let pass what can be tolerated, heads up to 128 KiB")
	c.Flags().StringSliceVar(&f.tolerate, "tolerate", nil, "reasons to let pass: bare-lf,field-obs-fold,...")
}

// given reports whether any of the flags was.
func (f *policyFlags) given(c *cobra.Command) bool {
	for _, name := range []string{"budget", "edge", "policy", "tolerate", "max-body"} {
		if flag := c.Flags().Lookup(name); flag != nil && flag.Changed {
			return true
		}
	}
	return false
}

// read gives the policy that the flags say, and the edge if one is named.
func (f *policyFlags) read() (validator.Policy, *validator.Edge, error) {
	p := validator.Strict()
	switch f.policy {
	case "strict":
	case "report":
		p = validator.Report()
	default:
		return p, nil, usage("--policy %q: want strict or report", f.policy)
	}
	var edge *validator.Edge
	if f.edge != "" {
		e, ok := validator.EdgeByName(f.edge)
		if !ok {
			var names []string
			for _, e := range validator.Edges() {
				names = append(names, e.Name)
			}
			return p, nil, usage("--edge %q is not known; %s", f.edge, suggest(f.edge, names))
		}
		tolerate := p.Limits.Tolerate
		p.Limits, edge = e.Limits(), &e
		p.Limits.Tolerate = tolerate
	}
	if f.budget > 0 {
		p.Limits.Head = int(f.budget)
	}
	if f.maxBody > 0 {
		p.Limits.Body = int64(f.maxBody)
	}
	for _, token := range f.tolerate {
		r, ok := wire.ReasonByToken(token)
		if !ok {
			return p, nil, usage("--tolerate %q: no such reason; %s", token, suggest(token, tokens()))
		}
		p.Limits.Tolerate = p.Limits.Tolerate.With(r)
	}
	if err := p.Limits.Check(); err != nil {
		return p, nil, usage("%v", err)
	}
	return p, edge, nil
}

func tokens() []string {
	var all []string
	for _, r := range wire.Reasons() {
		all = append(all, r.String())
	}
	return all
}

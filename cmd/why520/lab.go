package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

func (a *app) lab() *cobra.Command {
	var (
		listen string
		list   bool
	)
	c := &cobra.Command{
		Use:   "lab",
		Short: "Origins that fail on purpose, one port each from --listen's upward",
		Args:  cobra.NoArgs,
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:5200", "address of the first origin")
	c.Flags().BoolVar(&list, "list", false, "name the origins with their ports, and start none")
	c.RunE = func(c *cobra.Command, _ []string) error {
		first, err := netip.ParseAddrPort(listen)
		faults := origintest.Faults()
		if err != nil || first.Port() == 0 || int(first.Port())+len(faults) > 1<<16 {
			return usage("--listen %q: want ADDRESS:PORT, such as 127.0.0.1:5200, with room for %d ports", listen, len(faults))
		}
		var started []*origintest.Origin
		defer func() {
			for _, o := range started {
				o.Close()
			}
		}()
		for i, f := range faults {
			at := netip.AddrPortFrom(first.Addr(), first.Port()+uint16(i))
			line := labLine{Port: at.Port(), Name: f.Name, Reason: f.Reason.String(), About: f.About, Skipped: f.Skip()}
			if !list && line.Skipped == "" {
				o, err := origintest.New(f, at.String())
				if err != nil {
					return cannot(fmt.Errorf("starting %s: %w", f.Name, err))
				}
				started = append(started, o)
				line.URL = o.URL()
			}
			if err := a.labLine(line); err != nil {
				return err
			}
		}
		if list {
			return nil
		}
		fmt.Fprintf(a.log, "why520: %d origins are ready; interrupt to end them\n", len(started))
		<-c.Context().Done()
		return nil
	}
	return c
}

// A labLine is an origin as lab prints it.
type labLine struct {
	Port    uint16 `json:"port"`
	Name    string `json:"name"`
	Reason  string `json:"reason"`
	About   string `json:"about"`
	URL     string `json:"url,omitempty"`
	Skipped string `json:"skipped,omitempty"`
}

func (a *app) labLine(l labLine) error {
	if a.json {
		return a.print(l)
	}
	about := l.About
	if l.Skipped != "" {
		about = "(skipped: " + l.Skipped + ")"
	}
	const column = 46
	text := strings.Join(foldText(about, a.width-column), "\n"+strings.Repeat(" ", column))
	_, err := fmt.Fprintf(a.out, "%5d  %-38s %s\n", l.Port, l.Name, text)
	return a.wrote(err)
}

func (a *app) demo() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Start the lab inside, check each of its origins, and print the verdicts",
		Args:  cobra.NoArgs,
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return a.runDemo(c.Context()) }
	return c
}

// A demoLine is the outcome of one origin as demo prints it.
type demoLine struct {
	Name     string   `json:"name"`
	Expected string   `json:"expected"`
	Reason   string   `json:"reason,omitempty"`
	Status   int      `json:"edge_status,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Message  string   `json:"message,omitempty"`
	AsItWas  bool     `json:"as_expected"`
	Skipped  string   `json:"skipped,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// atOnce is how many origins the demo asks at a time.
const atOnce = 16

func (a *app) runDemo(ctx context.Context) error {
	faults := origintest.Faults()
	results := make([]chan demoLine, len(faults))
	places := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	defer wait.Wait()
	for i := range results {
		results[i] = make(chan demoLine, 1)
	}
	wait.Go(func() {
		for i, f := range faults {
			places <- struct{}{}
			wait.Go(func() {
				results[i] <- demonstrate(ctx, f)
				<-places
			})
		}
	})
	right, wrong, skipped := 0, 0, 0
	for _, result := range results {
		l := <-result
		switch {
		case l.Skipped != "":
			skipped++
		case l.AsItWas:
			right++
		default:
			wrong++
		}
		if err := a.demoLine(l); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return cannot(err)
	}
	if !a.json {
		fmt.Fprintf(a.out, "\n%d as expected, %d wrong, %d skipped\n", right, wrong, skipped)
	}
	a.failed = wrong > 0
	return nil
}

// demonstrate starts an origin, asks it, and holds the verdict against what is
// expected.
func demonstrate(ctx context.Context, f origintest.Fault) demoLine {
	l := demoLine{Name: f.Name, Expected: f.Reason.String(), Skipped: f.Skip()}
	if len(f.Notes) > 0 {
		l.Expected = f.Notes[0].String()
	}
	if l.Skipped != "" {
		return l
	}
	o, err := origintest.New(f, "")
	if err != nil {
		l.Error = err.Error()
		return l
	}
	defer o.Close()
	var (
		last  validator.Verdict
		notes wire.Set
	)
	for e, err := range o.Prober().ProbeAll(ctx, o.Target()) {
		if err != nil {
			l.Error = err.Error()
			return l
		}
		last = validator.Judge(e, nil)
		for _, n := range last.Notes {
			if !notes.Has(n.Reason) {
				l.Notes = append(l.Notes, n.Reason.String())
			}
			notes = notes.With(n.Reason)
		}
	}
	l.Reason, l.Status, l.Message = last.Reason.String(), last.EdgeStatus, last.Message
	l.AsItWas = last.Reason == f.Reason
	for _, n := range f.Notes {
		l.AsItWas = l.AsItWas && notes.Has(n)
	}
	return l
}

// title gives the verdict, what is noted beside an ok, and which of several
// origins showed it.
func (l *demoLine) title() string {
	title := l.Reason
	if title == "" {
		title = l.Expected
	}
	if title == "ok" && l.Expected != "ok" {
		title = "ok, " + l.Expected
	}
	if _, variant, found := strings.Cut(l.Name, "/"); found {
		title += " (" + variant + ")"
	}
	return title
}

func (a *app) demoLine(l demoLine) error {
	if a.json {
		return a.print(l)
	}
	status, outcome := "ok ", "as expected"
	if l.Status > 0 {
		status = fmt.Sprint(l.Status)
	}
	switch {
	case l.Skipped != "":
		status, outcome = "-  ", "skipped: "+l.Skipped
	case l.Error != "":
		status, outcome = "?  ", "WRONG: "+l.Error
	case !l.AsItWas:
		outcome = fmt.Sprintf("WRONG: %s, expected %s", l.Reason, l.Expected)
	}
	_, err := fmt.Fprintf(a.out, "%s  %-42s %s\n", status, l.title(), outcome)
	return a.wrote(err)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"why520/validator"
	"why520/validator/report"
	"why520/wire"
)

// An experiment is one change to a request.
type experiment struct {
	Name   string
	change func(*validator.Target)
}

// experiments gives the changes that can be made to t, the simplest last.
func experiments(t validator.Target) []experiment {
	var all []experiment
	add := func(name string, change func(*validator.Target)) { all = append(all, experiment{name, change}) }
	for _, f := range t.Fields {
		add("without "+f.Name, func(t *validator.Target) {
			t.Fields = slices.DeleteFunc(slices.Clone(t.Fields), func(g validator.Field) bool { return g == f })
		})
	}
	if t.Body != nil || t.Upload > 0 {
		add("without content", func(t *validator.Target) { t.Body, t.Upload = nil, 0 })
	}
	if t.Method != "" && t.Method != "GET" {
		add("with GET", func(t *validator.Target) { t.Method = "" })
	}
	if t.Upgrade != "" {
		add("without Upgrade", func(t *validator.Target) { t.Upgrade = "" })
	}
	if t.UserAgent != "" {
		add("with the User-Agent of why520", func(t *validator.Target) { t.UserAgent = "" })
	}
	if t.Requests > 1 {
		add("with one request on a connection", func(t *validator.Target) { t.Requests, t.Idle = 1, 0 })
	}
	if t.Host != "" {
		add("with the URL's own Host", func(t *validator.Target) { t.Host = "" })
	}
	return all
}

// probes gives the changes that tell more of the origin than the request: they
// add, and so are not part of the smallest request.
var probes = []experiment{
	{"with HEAD", func(t *validator.Target) { t.Method, t.Body, t.Upload = "HEAD", nil, 0 }},
	{"with a browser's User-Agent", func(t *validator.Target) { t.UserAgent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0" }},
	{"with Accept-Encoding: gzip", func(t *validator.Target) {
		t.Fields = append(slices.Clone(t.Fields), validator.Field{Name: "Accept-Encoding", Value: "gzip"})
	}},
	{"with Connection: close", func(t *validator.Target) {
		t.Fields = append(slices.Clone(t.Fields), validator.Field{Name: "Connection", Value: "close"})
	}},
	{"with a path that hardly exists", func(t *validator.Target) {
		if i := strings.Index(t.URL, "//"); i > 0 {
			host, _, _ := strings.Cut(t.URL[i+2:], "/")
			t.URL = t.URL[:i+2] + host + "/why520-none"
		}
	}},
	{"the same again", func(*validator.Target) {}},
}

// An outcome is what an experiment came to, as --why --json prints it.
type outcome struct {
	Experiment string `json:"experiment"`
	Reason     string `json:"reason"`
	Same       bool   `json:"same"` // as the request had that was asked about
}

// runWhy asks t, changes one thing at a time, and prints the smallest request
// that fails in the same way.
func (a *app) runWhy(ctx context.Context, ask asker, t validator.Target) error {
	base, e, err := a.askOnce(ctx, ask, t)
	if err != nil || e == nil {
		return err
	}
	if err := a.outcome(outcome{"as asked", base.String(), true}); err != nil {
		return err
	}
	a.failed = a.failed || base != wire.OK
	if base == wire.OK {
		return nil
	}
	try := func(x experiment, from validator.Target) (validator.Target, bool, error) {
		changed := from
		x.change(&changed)
		r, e, err := a.askOnce(ctx, ask, changed)
		if err != nil || e == nil {
			return from, false, err
		}
		return changed, r == base, a.outcome(outcome{x.Name, r.String(), r == base})
	}
	for _, x := range probes {
		if _, _, err := try(x, t); err != nil {
			return err
		}
	}
	smallest := t
	for _, x := range experiments(t) {
		changed, same, err := try(x, smallest)
		if err != nil {
			return err
		}
		if same {
			smallest = changed
		}
	}
	_, e, err = a.askOnce(ctx, ask, smallest)
	if err != nil || e == nil || a.json {
		return err
	}
	_, err = fmt.Fprintf(a.out, "\nThe smallest request that still gives %s:\n    %s\n", base.String(), report.Curl(e))
	return a.wrote(err)
}

// askOnce gives the reason of the last verdict on t; no evidence where t could
// not be asked, which is told.
func (a *app) askOnce(ctx context.Context, ask asker, t validator.Target) (wire.Reason, *validator.Evidence, error) {
	var (
		e   *validator.Evidence
		err error
	)
	for e, err = range ask(ctx, t) {
		if err != nil {
			break
		}
	}
	var target *validator.TargetError
	switch {
	case errors.As(err, &target):
		return 0, nil, usage("%v", err)
	case err != nil:
		a.complain(t.URL, err)
		return 0, nil, nil
	}
	return validator.Judge(e, nil).Reason, e, nil
}

func (a *app) outcome(o outcome) error {
	if a.json {
		return a.print(o)
	}
	same := "differs"
	if o.Same {
		same = "same"
	}
	_, err := fmt.Fprintf(a.out, "%-40s %-30s %s\n", o.Experiment, o.Reason, same)
	return a.wrote(err)
}

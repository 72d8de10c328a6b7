package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"why520/validator"
	"why520/validator/report"
	"why520/wire"
)

// readFile reads a file; "-" is standard input.
func (a *app) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(a.in)
	}
	return os.ReadFile(name)
}

func (a *app) parse() *cobra.Command {
	var (
		policy  policyFlags
		method  string
		upgrade string
		end     string
		split   int
		cases   bool
	)
	c := &cobra.Command{
		Use:   "parse FILE...",
		Short: "Judge saved response bytes, without a network; - is standard input",
		Args:  cobra.MinimumNArgs(1),
	}
	policy.add(c)
	c.Flags().Var(&policy.maxBody, "max-body", "bytes that the content may have (default 1GiB)")
	c.Flags().StringVar(&method, "method", "GET", "method of the request that was answered")
	c.Flags().StringVar(&upgrade, "upgrade", "", "protocol that the request asked to switch to")
	c.Flags().StringVar(&end, "end", "fin", "how the bytes ended: fin, rst, or timeout (open and silent)")
	c.Flags().IntVar(&split, "split", 0, "feed so many bytes at a time (default all)")
	c.Flags().BoolVar(&cases, "cases", false, "FILE is JSONL with id, request_method, raw_b64, then_close, then_reset")
	c.RunE = func(c *cobra.Command, files []string) error {
		p, _, err := policy.read()
		if err != nil {
			return err
		}
		if p.Limits.Body == 0 {
			p.Limits.Body = defaultMaxBody
		}
		if split < 0 {
			return usage("--split %d: want a number of bytes above 0", split)
		}
		o := validator.ReadOptions{Policy: p, Split: split}
		var ok bool
		if o.End, ok = ends[end]; !ok {
			return usage("--end %q: want fin, rst or timeout", end)
		}
		q := validator.RequestFacts{Method: method, Upgrade: upgrade != ""}
		for _, name := range files {
			if cases {
				if err := a.cases(name, o); err != nil {
					return err
				}
				continue
			}
			raw, err := a.readFile(name)
			if err != nil {
				a.complain("reading the response", err)
				continue
			}
			e := validator.Read(raw, q, o)
			e.Target = ""
			if !a.json && len(files) > 1 {
				fmt.Fprintf(a.out, "%s:\n", printable(name))
			}
			v := validator.Judge(e, nil)
			if err := a.verdict(e, &v); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

// defaultMaxBody is how much content is read where nothing else is said.
const defaultMaxBody = 1 << 30

var ends = map[string]wire.End{"fin": wire.FIN, "rst": wire.RST, "timeout": wire.Timeout}

// A testCase is a line of --cases.
type testCase struct {
	ID     string `json:"id"`
	Method string `json:"request_method"`
	Raw    []byte `json:"raw_b64"`
	Close  bool   `json:"then_close"`
	Reset  bool   `json:"then_reset"`
}

// cases judges the cases of a file; each answer is a line of JSON.
func (a *app) cases(name string, o validator.ReadOptions) error {
	all, err := a.readFile(name)
	if err != nil {
		a.complain("reading the cases", err)
		return nil
	}
	o.Digest = true
	lines := bufio.NewReader(bytes.NewReader(all))
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var c testCase
			if err := json.Unmarshal(line, &c); err != nil {
				a.complain(fmt.Sprintf("%s, line %d", name, number), err)
			} else if err := a.testCase(c, o); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

func (a *app) testCase(c testCase, o validator.ReadOptions) error {
	switch {
	case c.Reset:
		o.End = wire.RST
	case c.Close:
		o.End = wire.FIN
	default:
		o.End = wire.Timeout
	}
	e := validator.Read(c.Raw, validator.RequestFacts{Method: c.Method}, o)
	e.ID = c.ID
	v := validator.Judge(e, nil)
	a.failed = a.failed || !v.OK()
	return a.print(report.JSON(e, &v))
}

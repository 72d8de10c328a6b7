package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"why520/validator"
)

func (a *app) judge() *cobra.Command {
	var policy policyFlags
	c := &cobra.Command{
		Use:   "judge FILE...",
		Short: "Judge stored evidence (check --evidence) again, by this version's rules",
		Args:  cobra.MinimumNArgs(1),
	}
	policy.add(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		p, _, err := policy.read()
		if err != nil {
			return err
		}
		again := policy.given(c)
		for _, name := range files {
			stored, err := a.readFile(name)
			if err != nil {
				a.complain("reading the evidence", err)
				continue
			}
			decoder := json.NewDecoder(bytes.NewReader(stored))
			for number := 1; ; number++ {
				var e validator.Evidence
				err := decoder.Decode(&e)
				if errors.Is(err, io.EOF) {
					break
				}
				if err == nil && e.Version != validator.EvidenceVersion {
					err = fmt.Errorf("this is no evidence of version %d (\"v\" is %d)", validator.EvidenceVersion, e.Version)
				}
				if err != nil {
					a.complain(fmt.Sprintf("%s, object %d", name, number), err)
					break
				}
				if err := a.judgeOne(&e, p, again); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return c
}

// judgeOne judges e by the policy that it was read under, or again by p.
func (a *app) judgeOne(e *validator.Evidence, p validator.Policy, again bool) error {
	if again {
		p.Insecure = e.Policy.Insecure
		if p.Limits.Body == 0 {
			p.Limits.Body = e.Policy.Limits.Body
		}
		replayed, err := e.Replay(p)
		if err != nil {
			a.complain("judging again", err)
			return nil
		}
		e = replayed
	}
	v := validator.Judge(e, nil)
	return a.verdict(e, &v)
}

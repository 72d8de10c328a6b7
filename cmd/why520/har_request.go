package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"why520/validator"
)

// A harLog is what is read of a HAR 1.2 file.
type harLog struct {
	Log struct {
		Entries []struct {
			Request struct {
				Method  string `json:"method"`
				URL     string `json:"url"`
				Headers []struct {
					Name  string `json:"name"`
					Value string `json:"value"`
				} `json:"headers"`
				PostData *struct {
					Text string `json:"text"`
				} `json:"postData"`
			} `json:"request"`
		} `json:"entries"`
	} `json:"log"`
}

// fromHAR makes t ask what entry N of FILE.har asked; where is FILE.har#N.
func fromHAR(where string, t *validator.Target) error {
	name, number, found := strings.Cut(where, "#")
	n := 0
	if found {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < 0 {
			return usage("--request %q: want FILE.har#N, N from 0", where)
		}
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return cannot(err)
	}
	var har harLog
	if err := json.Unmarshal(content, &har); err != nil {
		return cannot(fmt.Errorf("--request %s is no HAR file: %w", name, err))
	}
	entries := har.Log.Entries
	if n >= len(entries) {
		return usage("--request %q: the file has %d entries, numbered from 0", where, len(entries))
	}
	q := entries[n].Request
	t.URL, t.Method = q.URL, q.Method
	for _, h := range q.Headers {
		switch lower := strings.ToLower(h.Name); {
		case strings.HasPrefix(lower, ":"), lower == "content-length", lower == "connection", lower == "transfer-encoding":
			// HTTP/2's pseudo fields, and what the connection here decides
		case lower == "host":
			t.Host = h.Value
		default:
			t.Fields = append(t.Fields, validator.Field{Name: h.Name, Value: h.Value})
		}
	}
	if q.PostData != nil {
		t.Body = []byte(q.PostData.Text)
	}
	return nil
}

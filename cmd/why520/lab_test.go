package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/origintest"
)

// The lab serves until it is interrupted, each origin on the port that --list
// names.
func TestLabServesEveryOriginOnItsPort(t *testing.T) {
	for base := 21000; base < 26000; base += 1000 { // some port may be in use
		if labServes(t, fmt.Sprintf("127.0.0.1:%d", base)) {
			return
		}
	}
	t.Fatal("no range of ports was free")
}

func labServes(t *testing.T, listen string) bool {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	reader, writer := io.Pipe()
	var log bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"lab", "--json", "--listen", listen}, strings.NewReader(""), writer, &log)
		writer.Close()
		ended <- code
	}()
	listed := verdicts(t, why520(t, "lab", "--list", "--json", "--listen", listen).out)
	require.Len(t, listed, len(origintest.Faults()))
	urls := map[string]string{}
	lines := bufio.NewScanner(reader)
	for i := range listed {
		if !lines.Scan() {
			<-ended
			return false
		}
		var l labLine
		require.NoError(t, json.Unmarshal(lines.Bytes(), &l))
		assert.EqualValues(t, listed[i]["port"], l.Port)
		assert.Equal(t, listed[i]["name"], l.Name)
		urls[l.Name] = l.URL
	}
	assert.Equal(t, exitOK, why520(t, "check", urls["ok"]).code)
	assert.Contains(t, why520(t, "check", urls["bare-lf"]).out, "520 bare-lf")
	interrupt()
	assert.Equal(t, exitOK, <-ended, log.String())
	return true
}

// The demo's exit status is what CI and users rely on.
func TestDemo(t *testing.T) {
	r := why520(t, "demo")
	assert.Equal(t, exitOK, r.code, r.out)
	assert.Contains(t, r.out, " 0 wrong, ")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	assert.Len(t, lines, len(origintest.Faults())+2, "a line an origin, and the count")
	for _, l := range lines[:len(lines)-2] {
		assert.Regexp(t, "as expected$|skipped: ", l)
		assert.LessOrEqual(t, len([]rune(l)), 80, l)
	}
}

// A verdict that is not the expected one is told, and fails.
func TestDemoThatIsWrong(t *testing.T) {
	wrong := demonstrate(t.Context(), func() origintest.Fault {
		f, _ := origintest.Lookup("bare-lf")
		f.Reason = 0
		return f
	}())
	assert.False(t, wrong.AsItWas)
	var out bytes.Buffer
	a := &app{out: &out, width: 80}
	require.NoError(t, a.demoLine(wrong))
	assert.Contains(t, out.String(), "WRONG: bare-lf, expected ok")
}

package validator_test

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/validator"
	"why520/validator/report"
	"why520/wire"
)

// fill fills v, whatever it is made of, with what data says; it gives what is
// left of data.
func fill(v reflect.Value, data []byte) []byte {
	next := func() byte {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return b
	}
	if v.Type() == reflect.TypeFor[wire.Reason]() { // stored evidence holds declared ones alone
		all := append(wire.Reasons(), wire.OK)
		v.Set(reflect.ValueOf(all[int(next())%len(all)]))
		return data
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(next()&1 == 1)
	case reflect.Uint8:
		v.SetUint(uint64(next()))
	case reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint:
		v.SetUint(uint64(next()))
	case reflect.Int64, reflect.Int, reflect.Int32:
		switch b := next(); {
		case b < 250:
			v.SetInt(int64(b) - 2)
		case len(data) >= 8:
			v.SetInt(int64(binary.LittleEndian.Uint64(data)))
			data = data[8:]
		}
	case reflect.String:
		n := min(int(next())%32, len(data))
		v.SetString(string(data[:n]))
		data = data[n:]
	case reflect.Pointer:
		if next()&3 > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			data = fill(v.Elem(), data)
		}
	case reflect.Slice:
		n := int(next()) % 5
		if v.Type().Elem().Kind() == reflect.Uint8 {
			n *= 10
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			data = fill(v.Index(i), data)
		}
	case reflect.Array:
		for i := range v.Len() {
			data = fill(v.Index(i), data)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				data = fill(v.Field(i), data)
			}
		}
	}
	return data
}

// FuzzJudge judges and shows evidence of every kind, true and impossible: no
// panic, and every verdict is in the table.
func FuzzJudge(f *testing.F) {
	for _, v := range fuzz.Vectors() {
		if len(v.Bytes) > 600 {
			continue
		}
		stored, err := json.Marshal(validator.Read(v.Bytes, validator.RequestFacts{}, validator.ReadOptions{End: v.End}))
		require.NoError(f, err)
		f.Add(stored)
	}
	for i := range 256 {
		f.Add([]byte{byte(i), byte(i >> 1), byte(i), 1, 1, 1, byte(i), byte(i), 2, 3, 4, byte(i)})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e := new(validator.Evidence)
		if json.Unmarshal(data, e) != nil {
			e = new(validator.Evidence)
			fill(reflect.ValueOf(e).Elem(), data)
		}
		v := validator.Judge(e, nil)
		inTable(t, e, v)
		assert.Equal(t, v, validator.Judge(e, nil), "the same evidence, the same verdict")
		require.NoError(t, report.Text(io.Discard, e, &v, report.Options{}))
		_ = report.JSON(e, &v)
		for _, p := range []validator.Policy{validator.Strict(), validator.Report()} {
			inTable(t, e, validator.Judge(e, &p))
			if again, err := e.Replay(p); err == nil {
				inTable(t, again, validator.Judge(again, nil))
			}
		}
	})
}

func inTable(t *testing.T, e *validator.Evidence, v validator.Verdict) {
	t.Helper()
	if v.OK() {
		assert.Empty(t, v.Findings)
		assert.Zero(t, v.EdgeStatus)
		return
	}
	names := validator.NamesOf(v.Reason)
	assert.NotEmpty(t, v.Reason.Info().Token, "%d", v.Reason)
	assert.False(t, v.Reason.Info().Note, "%s is a note", v.Reason)
	assert.Equal(t, names.Cause, v.Cause)
	assert.True(t, 520 <= v.EdgeStatus && v.EdgeStatus <= 530, "%s: %d", v.Reason, v.EdgeStatus)
	assert.Equal(t, v.Reason, v.Findings[0].Reason)
	assert.NotEmpty(t, v.Message)
	assert.NotEmpty(t, validator.Remedy(v.Reason), v.Reason.String())
}

// FuzzProber asks origins that answer with what is generated: over a real
// connection, with splits and pauses, the verdict is that of the bytes.
func FuzzProber(f *testing.F) {
	for _, seed := range fuzz.Seeds()[:40] {
		f.Add(seed)
	}
	for i := range fuzz.Damages() {
		f.Add(append(make([]byte, 20), 1, byte(i)))
	}
	o, err := fuzz.Listen(fuzz.Case{})
	require.NoError(f, err)
	f.Cleanup(func() { o.Close() })
	f.Fuzz(func(t *testing.T, data []byte) {
		k := fuzz.Generate(data)
		o.Answer(k)
		silence := 5 * time.Second
		if k.End == wire.Timeout {
			silence = 60 * time.Millisecond
		}
		e, v := generated(t, o, k, silence)
		if k.End == wire.Timeout && !k.Want.Has(v.Reason) {
			e, v = generated(t, o, k, 4*time.Second) // a busy machine pauses, too
		}
		inTable(t, e, v)
		if k.End == wire.RST {
			return // what was still on its way is lost with a reset
		}
		assert.True(t, k.Want.Has(v.Reason), "%s (%s), wanted %v: %s", v.Reason, v.Message, k.Want, k)
	})
}

// generated asks o, which answers with k, and waits through a silence of so long.
func generated(t *testing.T, o *fuzz.Origin, k fuzz.Case, silence time.Duration) (*validator.Evidence, validator.Verdict) {
	t.Helper()
	p := validator.Prober{
		Policy: validator.Policy{Limits: k.Limits}, Settle: -1,
		Deadlines: validator.Deadlines{FirstByte: 5 * time.Second, Head: 5 * time.Second, Idle: silence, Total: 10 * time.Second},
	}
	return ask(t, &p, validator.Target{URL: o.URL(), Method: k.Request.Method, Body: body(k)})
}

// body gives content for methods that want some.
func body(k fuzz.Case) []byte {
	if k.Request.Method == "POST" {
		return []byte("x")
	}
	return nil
}

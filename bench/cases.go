package bench

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// A Case is a set of inputs of one kind: heads, or whole responses.
type Case struct {
	Name     string
	About    string   // one line for people
	Inputs   [][]byte // variants, one behind the other in one array
	Want     []Result // of each input
	Contents [][]byte // of each response; nil: the inputs are heads

	asked []line // of each head one field line, whose name occurs once
}

// Size is the number of bytes of an input, on average.
func (c *Case) Size() float64 {
	n := 0
	for _, b := range c.Inputs {
		n += len(b)
	}
	return float64(n) / float64(len(c.Inputs))
}

// Cases gives all cases, always the same. They must not be changed.
func Cases() []Case { return slices.Clone(cases()) }

var cases = sync.OnceValue(func() (all []Case) {
	for i, r := range recipes {
		all = append(all, r.make(rand.New(rand.NewPCG(520, uint64(i)))))
	}
	return all
})

// A recipe is how a case is made.
type recipe struct {
	name     string
	about    string
	variants int
	size     int // bytes of a head on average; 0: as they come
	draft    func(r *rand.Rand) draft
}

// To add a case, add a recipe at the end. What a case is must not change later:
// there are figures of it.
var recipes = []recipe{
	{"tiny", "3 field lines, 105 bytes", 1000, 105, tiny},
	{"nginx", "what nginx sends: 9 field lines, 287 bytes", 1000, 287, nginx},
	{"cdn", "what a CDN sends: 25 field lines, 1260 bytes", 500, 1260, cdn},
	{"cookies", "7 field lines, 3 of them cookies: 8192 bytes", 200, 8192, cookies},
	{"fields", "500 field lines, 64 KiB", 64, 65536, manyFields},
	{"tinyfields", "500 field lines of some 13 bytes, 6500 bytes", 200, 6500, manyTinyFields},
	{"mixed", "heads of 3 to 25 field lines, 473 bytes", 1000, 473, mixed},
	{"malformed-early", "a fault in the status line or the first field line of 287 bytes", 500, 287, malformedEarly},
	{"malformed-late", "a fault in the last field line of 287 bytes", 500, 287, malformedLate},
	{"interim", "2 to 4 interim heads, then a response with a little content", 500, 0, interim},
	{"chunked16", "2 KiB in chunks of 16 bytes", 300, 0, chunked(16, 128)},
	{"chunked1k", "16 KiB in chunks of 1 KiB", 100, 0, chunked(1<<10, 16)},
	{"chunked16k", "64 KiB in chunks of 16 KiB", 64, 0, chunked(16<<10, 4)},
}

func (c *recipe) make(r *rand.Rand) Case {
	drafts := make([]draft, c.variants)
	for i := range drafts {
		drafts[i] = c.draft(r)
	}
	if c.size > 0 {
		fit(r, drafts, c.size)
	}
	k := Case{Name: c.name, About: c.about}
	var all []byte
	for i := range drafts {
		d := &drafts[i]
		from := len(all)
		all = d.append(all)
		k.Want = append(k.Want, d.want(len(all)-from))
		k.asked = append(k.asked, d.ask(i))
		if d.body != nil {
			k.Contents = append(k.Contents, d.body.content)
			all = append(all, d.body.framed...)
		}
		k.Inputs = append(k.Inputs, make([]byte, len(all)-from))
	}
	for i, b := range k.Inputs {
		k.Inputs[i], all = all[:len(b):len(b)], all[len(b):]
	}
	return k
}

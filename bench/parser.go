package bench

// A Parser is a parser that is measured. A function that is nil means that it
// does not take part in what needs it.
type Parser struct {
	Name string // without white space and slashes: it becomes part of the names of benchmarks

	// Heads parses each input as a response head that is complete, and says in
	// the result with the same number what it read. It takes many at once, so
	// that a parser in another language pays once for being called.
	//
	// The inputs lie one behind the other in one array. They must not be
	// changed, and are what a parser found in its buffer: it need not copy them.
	Heads func(inputs [][]byte, results []Result)

	// Responses reads each input as a response to a GET, interim responses
	// before it, up to the end of its content.
	Responses func(inputs [][]byte, results []Result)

	// Value gives the value of the field of that name in a head. Check asks it,
	// outside of what is timed.
	Value func(head []byte, name string) string

	// Content gives the content of a response. Check asks it, outside of what is
	// timed.
	Content func(response []byte) []byte
}

// A Result is what a parser says of one input. Where OK is false, the rest is
// not looked at.
type Result struct {
	OK      bool // it is accepted
	Head    int  // bytes of the head, the empty line included; of a response, those of the interim heads too
	Status  int  // of the final head
	Fields  int  // field lines of the final head; negative: the parser does not tell
	Content int  // bytes of content, without framing; 0 for a head
}

// Each makes a function that parses many inputs of one that parses one.
func Each(parse func(input []byte) Result) func(inputs [][]byte, results []Result) {
	return func(inputs [][]byte, results []Result) {
		for i, b := range inputs {
			results[i] = parse(b)
		}
	}
}

// on gives the function of p that reads c's inputs; nil: p takes no part.
func (p *Parser) on(c *Case) func(inputs [][]byte, results []Result) {
	if c.Contents != nil {
		return p.Responses
	}
	return p.Heads
}

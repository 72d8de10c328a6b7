package capture

// An aside is what only some flows have, and only while they have it.
type aside struct {
	talk   uint32    // number of its conversation or, iff parked, of the question that waits; 0: none
	resets uint32    // number of the first reset that was kept; 0: none
	rival  uint32    // number of a SYN that may begin another flow; 0: none came
	trace  uint32    // number of its trace; 0: none
	piece  [2]uint32 // of each side: number of the first piece that came too early; 0: none
	stray  [2]uint32 // of each side: number of the last stray segment in its name; 0: there is none
	gap    [2]uint32 // of each side: the flow's packets when it was first seen that bytes are missing; 0: none are
	tls    [2]records

	farewell uint32 // of TLS: payload of the client, modulo 2^32, before the records that it sent behind the origin's FIN; valid iff it did
}

// early reports whether payload came too early.
func (a *aside) early() bool { return a.piece[client]|a.piece[origin] != 0 }

// plain is the aside of flows that have none: it is not written to.
var plain aside

// aside gives the aside of f; what is to be in it that is not goes to makeAside.
func (t *Tracker) aside(f *record) *aside {
	if f.aside == 0 {
		return &plain
	}
	return t.asides.at(f.aside)
}

// makeAside gives the aside of f, which it has from now on.
func (t *Tracker) makeAside(f *record) *aside {
	if f.aside == 0 {
		f.aside = t.asides.take()
	}
	return t.asides.at(f.aside)
}

// tidy frees the aside of f, if there is nothing in it.
func (t *Tracker) tidy(f *record) {
	if a := t.asides.at(f.aside); a.talk == 0 && *a == (aside{}) {
		t.asides.put(f.aside)
		f.aside = 0
	}
}

// dropAside frees the aside of f, whatever is in it.
func (t *Tracker) dropAside(f *record) {
	*t.asides.at(f.aside) = aside{}
	t.asides.put(f.aside)
	f.aside = 0
}

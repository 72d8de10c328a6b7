package validator

import "why520/wire"

type Edge struct{}

func (Edge) Limits() wire.Limits { return wire.Limits{} }

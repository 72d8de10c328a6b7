package edge_test

import (
	"os"
	"testing"

	"why520/validator/origintest"
)

func TestMain(m *testing.M) { os.Exit(origintest.Run(m)) }

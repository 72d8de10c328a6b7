package report

import (
	"fmt"
	"slices"
	"strings"

	"why520/validator"
	"why520/wire"
)

// CausesMarkdown gives the table of causes that the README shows.
func CausesMarkdown() string {
	var order []validator.Cause
	reasons := map[validator.Cause][]string{}
	statuses := map[validator.Cause][]string{}
	all := wire.Reasons()
	slices.SortStableFunc(all, func(a, b wire.Reason) int {
		return validator.NamesOf(a).EdgeStatus - validator.NamesOf(b).EdgeStatus
	})
	for _, r := range all {
		n := validator.NamesOf(r)
		if n.Cause == "" {
			continue
		}
		if reasons[n.Cause] == nil {
			order = append(order, n.Cause)
		}
		reasons[n.Cause] = append(reasons[n.Cause], "`"+r.String()+"`")
		if s := fmt.Sprint(n.EdgeStatus); !slices.Contains(statuses[n.Cause], s) {
			statuses[n.Cause] = append(statuses[n.Cause], s)
		}
	}
	var t strings.Builder
	t.WriteString("| status | cause | reasons |\n|---|---|---|\n")
	for _, c := range order {
		fmt.Fprintf(&t, "| %s | %s | %s |\n", strings.Join(statuses[c], ", "), c, strings.Join(reasons[c], " "))
	}
	return t.String()
}

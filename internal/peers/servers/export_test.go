package servers

import (
	"slices"
	"strings"
	"testing"

	"github.com/corsrpc/corsrpc-go/corsrpc"
	"github.com/corsrpc/corsrpc-go/internal/export"
	"github.com/corsrpc/corsrpc-go/internal/peers/sidebyside"
	"github.com/corsrpc/corsrpc-go/internal/planaccess"
)

// losses returns what corsrpc export loses of the policy of a row, in the order of the page about exports.
func (p program) losses(t *testing.T, r row) (names []string) {
	t.Helper()
	text := p.policy(r)
	doc, err := corsrpc.ParsePolicy("cors.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	plan, err := corsrpc.Compile(doc.Policy(), corsrpc.WithDocument(doc), corsrpc.WithFiles(sidebyside.Schema()))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	model, err := export.New(planaccess.Rules(plan), export.Options{OwnOrigins: []string{sidebyside.Host}})
	if err != nil {
		t.Fatal(err)
	}
	exported, err := export.Write(p.target, model)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, l := range exported.Losses {
		names = append(names, string(l.Name))
	}
	return names
}

// addLosses adds a column with the losses that the first row does not have. It returns a sentence with those of the
// first row.
func (p program) addLosses(t *testing.T, table *sidebyside.Table) string {
	t.Helper()
	first := p.losses(t, p.rows[0])
	table.Header = append(table.Header, "Further losses")
	for i, r := range p.rows {
		further := slices.DeleteFunc(p.losses(t, r), func(name string) bool { return slices.Contains(first, name) })
		table.Rows[i] = append(table.Rows[i], spans(further))
	}
	return "`corsrpc export " + string(p.target) + "` loses " + spans(first) + " of the first policy. The last column has what it loses of others besides.\n\n"
}

func spans(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

package serve

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
)

const tenantsPolicy = "defaults: {allow_origins: [\"https://app.example.com\"], allow_origins_from: [tenants]}"

// sqliteFile creates a file of SQLite with a table of origins, and returns its name.
func sqliteFile(t *testing.T, name, table string, origins ...string) string {
	t.Helper()
	_ = os.Remove(name + "~")
	change(t, name+"~", `CREATE TABLE "`+table+`" (origin TEXT)`)
	for _, origin := range origins {
		change(t, name+"~", `INSERT INTO "`+table+`" VALUES ('`+origin+`')`)
	}
	if err := os.Rename(name+"~", name); err != nil {
		t.Fatal(err)
	}
	return name
}

// change changes a file of SQLite.
func change(t *testing.T, name, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: name}).EscapedPath()+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// openOrigins opens an origin source until the test ends, after the policies that use it.
func openOrigins(t *testing.T, from *corsrpcv1.OriginSource) *Origins {
	t.Helper()
	o, err := OpenOrigins(from, env())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// read returns the origins of a source.
func read(t *testing.T, o *Origins) (origins []string, err error) {
	t.Helper()
	for origin, e := range o.Source().From.Origins(t.Context()) {
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		origins = append(origins, origin)
	}
	return origins, err
}

// TestSQLite: the default query selects the column origin of the table with the source's name. Names of
// files and tables may have any characters. A file that another one replaces is read anew.
func TestSQLite(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "a ?#%41&b.db")
	sqliteFile(t, name, "order-1", app)
	o := openOrigins(t, &corsrpcv1.OriginSource{Name: "order-1", Url: "sqlite:" + name})
	if got, err := read(t, o); err != nil || !slices.Equal(got, []string{app}) {
		t.Errorf("%q, %v", got, err)
	}
	sqliteFile(t, name, "order-1", shop, app)
	if got, err := read(t, o); err != nil || !slices.Equal(got, []string{shop, app}) {
		t.Errorf("the file that replaces it: %q, %v", got, err)
	}
	o = openOrigins(t, &corsrpcv1.OriginSource{Name: "x", Url: "sqlite:" + name, Query: `SELECT origin FROM "order-1" WHERE origin LIKE '%app%'`})
	if got, err := read(t, o); err != nil || !slices.Equal(got, []string{app}) {
		t.Errorf("another query: %q, %v", got, err)
	}
}

// TestSQLiteIsReadOnly: a query cannot change the file, and a file that does not exist is not made.
func TestSQLiteIsReadOnly(t *testing.T) {
	t.Parallel()
	name := sqliteFile(t, filepath.Join(t.TempDir(), "t.db"), "tenants", app)
	for _, query := range []string{"DELETE FROM tenants RETURNING origin", "DROP TABLE tenants", "PRAGMA query_only(0); DELETE FROM tenants RETURNING origin"} {
		o := openOrigins(t, &corsrpcv1.OriginSource{Name: "tenants", Url: "sqlite:" + name, Query: query})
		if got, err := read(t, o); err == nil {
			t.Errorf("%s: %q", query, got)
		}
	}
	o := openOrigins(t, &corsrpcv1.OriginSource{Name: "tenants", Url: "sqlite:" + name})
	if got, err := read(t, o); err != nil || !slices.Equal(got, []string{app}) {
		t.Errorf("%q, %v", got, err)
	}
	o = openOrigins(t, &corsrpcv1.OriginSource{Name: "tenants", Url: "sqlite:" + name + "x"})
	if _, err := read(t, o); err == nil || !strings.Contains(err.Error(), "unable to open database file") {
		t.Errorf("a file that does not exist: %v", err)
	}
	if _, err := os.Stat(name + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file was made: %v", err)
	}
}

// TestOriginSourcesThatAreWrong: a row has an origin source, and what its error contains.
func TestOriginSourcesThatAreWrong(t *testing.T) {
	t.Parallel()
	for want, from := range map[string]*corsrpcv1.OriginSource{
		"the URL has no file":              {Name: "t", Url: "sqlite:"},
		"neither with postgres:// nor":     {Name: "t", Url: "mysql://h/db"},
		"notify_channel is for PostgreSQL": {Name: "t", Url: "sqlite:t.db", NotifyChannel: "c"},
		"variable PW":                      {Name: "t", Url: "postgres://u:${PW}@h/db"},
		"sslmode":                          {Name: "t", Url: "postgres://u@h/db?sslmode=maybe"},
	} {
		if _, err := OpenOrigins(from, env()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestDatabaseThatIsAway: a database that is away at the start does not keep the policy from being in force,
// but from being ready. When it comes, the policy is ready, and changes take effect after the period.
func TestDatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tenants.db")
	o := openOrigins(t, &corsrpcv1.OriginSource{Name: "tenants", Url: "sqlite:" + name, Every: durationpb.New(20 * time.Millisecond)})
	r := newRunning(t, PolicyConfig{File: policyFile(t, tenantsPolicy), Sources: map[string]Source{"tenants": o.Source()}})
	r.await("in force", func() bool { return r.Layer() != nil })
	if ok, why := r.Ready(); ok || !strings.Contains(why, "tenants") || !r.allows(app, "/a.B/C") || r.allows(shop, "/a.B/C") {
		t.Errorf("ready %v: %s", ok, why)
	}
	sqliteFile(t, name, "tenants", shop)
	r.awaitReady()
	if !r.allows(shop, "/a.B/C") {
		t.Error("the origins are not in force")
	}
	change(t, name, "DELETE FROM tenants")
	r.await("a change", func() bool { return !r.allows(shop, "/a.B/C") })
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	r.await("a failure", func() bool { return r.log.count("keeping the origins") > 0 })
	if ok, why := r.Ready(); !ok {
		t.Errorf("not ready any more: %s", why)
	}
}

// TestPolicyNamesAnotherSource: a policy that names a source which cannot be loaded is not in force before the
// source is there.
func TestPolicyNamesAnotherSource(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tenants.db")
	o := openOrigins(t, &corsrpcv1.OriginSource{Name: "tenants", Url: "sqlite:" + name})
	file := policyFile(t, appPolicy)
	r := newRunning(t, PolicyConfig{File: file, Sources: map[string]Source{"tenants": o.Source()}}, func(p *Policy) { p.retryPause = 10 * time.Millisecond })
	r.awaitReady()
	digest := r.Digest()
	write(t, file, tenantsPolicy)
	r.await("some attempts", func() bool { return r.log.count("an origin source failed") >= 4 })
	if r.Digest() != digest {
		t.Error("the policy is in force without its source")
	}
	sqliteFile(t, name, "tenants", shop)
	r.await("the policy", func() bool { return r.allows(shop, "/a.B/C") })
	if n := r.log.count("policy reload failed"); n != 1 {
		t.Errorf("%d failures are logged", n)
	}
}

// TestReloadReadsSources: Reload reads the origin sources too.
func TestReloadReadsSources(t *testing.T) {
	t.Parallel()
	name := sqliteFile(t, filepath.Join(t.TempDir(), "tenants.db"), "tenants", app)
	o := openOrigins(t, &corsrpcv1.OriginSource{Name: "tenants", Url: "sqlite:" + name, Every: durationpb.New(time.Hour)})
	r := newRunning(t, PolicyConfig{File: policyFile(t, tenantsPolicy), Sources: map[string]Source{"tenants": o.Source()}})
	r.awaitReady()
	change(t, name, `INSERT INTO tenants VALUES ('https://shop.example.com')`)
	r.Reload()
	r.await("the new origin", func() bool { return r.allows(shop, "/a.B/C") })
}

// TestQueryErrorWithoutPassword: an error of the database that contains a password is shown without it.
func TestQueryErrorWithoutPassword(t *testing.T) {
	t.Parallel()
	name := sqliteFile(t, filepath.Join(t.TempDir(), "t.db"), "tenants", app)
	o := openOrigins(t, &corsrpcv1.OriginSource{Name: "tenants", Url: "sqlite:" + name, Query: "SELECT hunter2secret FROM tenants"})
	o.secrets.add("hunter2secret")
	if _, err := read(t, o); err == nil || strings.Contains(err.Error(), "hunter2secret") || !strings.Contains(err.Error(), "no such column: xxxxx") {
		t.Errorf("error %v", err)
	}
}

//go:build live

package serve

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsrpcv1"
	"github.com/corsrpc/corsrpc-go/internal/postgres"
)

// administrator is a connection of the user corsrpc, who may do everything.
type administrator struct {
	t  *testing.T
	db *sql.DB
}

func newAdministrator(t *testing.T, p *postgres.Server) administrator {
	t.Helper()
	db, err := sql.Open("pgx", p.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return administrator{t, db}
}

func (a administrator) execute(statements ...string) {
	a.t.Helper()
	for _, s := range statements {
		if _, err := a.db.ExecContext(a.t.Context(), s); err != nil {
			a.t.Fatalf("%s: %v", s, err)
		}
	}
}

// connections returns the number of connections of the origin sources.
func (a administrator) connections() (n int) {
	a.t.Helper()
	if err := a.db.QueryRowContext(a.t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'corsrpc'`).Scan(&n); err != nil {
		a.t.Fatal(err)
	}
	return n
}

// TestPostgres: a table of PostgreSQL is a source. A user with an odd password may only read it. Notifications
// on a channel whose name needs quotes take effect at once.
func TestPostgres(t *testing.T) {
	t.Parallel()
	p := postgres.New(t)
	a := newAdministrator(t, p)
	a.execute(
		`CREATE TABLE "Order-1" (origin TEXT)`, `INSERT INTO "Order-1" VALUES ('https://shop.example.com')`,
		`CREATE ROLE reader LOGIN PASSWORD '`+oddPassword+`'`, `GRANT SELECT ON "Order-1" TO reader`)
	p.Authenticate(t, "local all corsrpc trust\nlocal all reader scram-sha-256\n")
	a.execute(`SELECT pg_reload_conf()`)
	open := func(password string) *Origins {
		t.Helper()
		o, err := OpenOrigins(&corsrpcv1.OriginSource{
			Name: "Order-1", Url: p.URLOf("reader:${PW}"), Every: durationpb.New(time.Hour), NotifyChannel: `Odd "channel`,
		}, env("PW="+password))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = o.Close() })
		return o
	}
	wrong := open("wrong" + oddPassword)
	await(t, "the password is checked", func() bool {
		_, err := read(t, wrong)
		if err != nil && strings.Contains(err.Error(), oddPassword) {
			t.Errorf("the error has the password: %v", err)
		}
		return err != nil && strings.Contains(err.Error(), "password authentication failed")
	})
	o := open(oddPassword)
	text := strings.ReplaceAll(tenantsPolicy, "tenants", "Order-1")
	one := newRunning(t, PolicyConfig{Name: "one", File: policyFile(t, text), Sources: map[string]Source{"Order-1": o.Source()}})
	two := newRunning(t, PolicyConfig{Name: "two", File: policyFile(t, text), Sources: map[string]Source{"Order-1": o.Source()}})
	for _, r := range []*running{one, two} {
		r.awaitReady()
		r.await("the table", func() bool { return r.allows(shop, "/a.B/C") })
	}
	await(t, "listening", func() bool {
		var n int
		err := a.db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'corsrpc' AND query LIKE 'LISTEN%'`).Scan(&n)
		return err == nil && n == 2
	})
	for i := range 5 {
		a.execute(`DELETE FROM "Order-1"`, `NOTIFY "Odd ""channel"`)
		for _, r := range []*running{one, two} {
			r.await(fmt.Sprintf("deletion %d", i), func() bool { return !r.allows(shop, "/a.B/C") })
		}
		a.execute(`INSERT INTO "Order-1" VALUES ('https://shop.example.com')`, `NOTIFY "Odd ""channel"`)
		for _, r := range []*running{one, two} {
			r.await(fmt.Sprintf("insertion %d", i), func() bool { return r.allows(shop, "/a.B/C") })
		}
	}
	if n := a.connections(); n > 4 {
		t.Errorf("%d connections", n)
	}
}

// TestPostgresThatIsAway: a database that is away at the start does not keep the policy from being in force,
// and takes effect when it comes. After a crash the last origins stay, and changes take effect when the
// database is back.
func TestPostgresThatIsAway(t *testing.T) {
	t.Parallel()
	p := postgres.New(t)
	a := newAdministrator(t, p)
	a.execute(`CREATE TABLE tenants (origin TEXT)`, `INSERT INTO tenants VALUES ('https://shop.example.com')`)
	p.Stop(t)
	o, err := OpenOrigins(&corsrpcv1.OriginSource{Name: "tenants", Url: p.URL(), Every: durationpb.New(100 * time.Millisecond), NotifyChannel: "tenants"}, env())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	r := newRunning(t, PolicyConfig{File: policyFile(t, tenantsPolicy), Sources: map[string]Source{"tenants": o.Source()}})
	r.await("in force", func() bool { return r.Layer() != nil })
	if ok, why := r.Ready(); ok || !strings.Contains(why, "tenants") || !r.allows(app, "/a.B/C") {
		t.Errorf("ready %v: %s", ok, why)
	}
	p.Start(t)
	r.awaitReady()
	r.await("the table", func() bool { return r.allows(shop, "/a.B/C") })
	p.Stop(t)
	r.await("a failure", func() bool { return r.log.count("keeping the origins") > 0 })
	if ok, _ := r.Ready(); !ok || !r.allows(shop, "/a.B/C") {
		t.Error("the last origins are not in force")
	}
	p.Start(t)
	a.execute(`DELETE FROM tenants`)
	r.await("a change after the crash", func() bool { return !r.allows(shop, "/a.B/C") })
}

// TestPostgresThatHangs: a database that does not answer any more neither keeps a policy from being in force for
// longer than its wait, nor the program from ending.
func TestPostgresThatHangs(t *testing.T) {
	t.Parallel()
	p := postgres.New(t)
	a := newAdministrator(t, p)
	a.execute(`CREATE TABLE tenants (origin TEXT)`)
	o, err := OpenOrigins(&corsrpcv1.OriginSource{Name: "tenants", Url: p.URL(), NotifyChannel: "tenants"}, env())
	if err != nil {
		t.Fatal(err)
	}
	lock, err := a.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), `LOCK TABLE tenants`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	hanging, err := NewPolicy(PolicyConfig{File: policyFile(t, tenantsPolicy), Sources: map[string]Source{"tenants": o.Source()}, Logger: (&logBuffer{}).logger()})
	if err != nil {
		t.Fatal(err)
	}
	hanging.sourcesWait = 200 * time.Millisecond
	ended := make(chan error, 1)
	go func() { ended <- hanging.Run(ctx) }()
	await(t, "in force", func() bool { return hanging.Layer() != nil })
	if ok, why := hanging.Ready(); ok || !strings.Contains(why, "took longer than") {
		t.Errorf("ready %v: %s", ok, why)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	await(t, "ready", func() bool { ok, _ := hanging.Ready(); return ok })
	if err := p.Process().Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("the end took %v", took)
	}
	if err := p.Process().Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}

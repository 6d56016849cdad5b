package corsrpc_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/corsrpc/corsrpc-go/corsrpc"
)

// TestReloadDoesNotWaitForShadowSources checks that a policy is put in force although a source that only
// its shadow names fails or hangs. The failure is reported, and the source allows no origin until it is
// loaded again, which Watch does. Before a policy in force relies on the source, it has to load.
func TestReloadDoesNotWaitForShadowSources(t *testing.T) {
	t.Parallel()
	const (
		fresh  = "https://new.example.com"
		policy = "defaults: {allow_origins: [" + fresh + "]}\n"
		shadow = "defaults: {allow_origins_from: [tenants]}"
	)
	for name, test := range map[string]struct {
		option, hangs bool
		says          string
	}{
		"a shadow of the policy's, which fails": {false, false, "down"},
		"a shadow given in code, which fails":   {true, false, "down"},
		"a shadow of the policy's, which hangs": {false, true, "longer than 5s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenants, seen := &table{err: errors.New("down"), hangs: test.hangs}, &events{}
				opts := []corsrpc.LayerOption{corsrpc.WithObserver(seen), corsrpc.WithOriginSource("tenants", tenants)}
				next := policy
				if test.option {
					opts = append(opts, corsrpc.WithShadow(compilePolicy(t, shadow)))
				} else {
					next += "shadow: {" + shadow + "}\n"
				}
				layer, _ := newLayer(t, smallest, opts...)
				follow(t, layer)
				start := time.Now()
				if err := layer.Reload(t.Context(), compilePolicy(t, next)); err != nil || !allows(layer, fresh) {
					t.Errorf("held up: %v", err)
				}
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("held up for %v", took)
				}
				if reported := seen.of(corsrpc.EventRefresh); len(reported) == 0 || reported[0].Source.Err == nil || !test.option && !strings.Contains(reported[0].Source.Err.Error(), test.says) {
					t.Errorf("reported %+v, want %q", reported, test.says)
				}
				// A plan waits for the sources of its own rules.
				own := compilePolicy(t, strings.Replace(next, "[https://new.example.com]", "[https://next.example.com], allow_origins_from: [tenants]", 1))
				if err := layer.Reload(t.Context(), own); err == nil || !allows(layer, fresh) {
					t.Errorf("in force without its source's set: %v", err)
				}
				tenants.mu.Lock()
				tenants.rows, tenants.err, tenants.hangs = []string{shop}, nil, false
				tenants.mu.Unlock()
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				callFrom(layer, listRPC, shop)
				reported := seen.of(corsrpc.EventShadow)
				if len(reported) != 1 || reported[0].Shadow.Outcome() != corsrpc.OutcomeGrant {
					t.Errorf("Watch did not ask the shadow's source again: %+v", reported)
				}
				asked := tenants.timesLoaded()
				if err := layer.Reload(t.Context(), own); err != nil || !allows(layer, shop) || tenants.timesLoaded() != asked {
					t.Errorf("with a set: %v, loaded %d times more", err, tenants.timesLoaded()-asked)
				}
			})
		})
	}
}

// TestReloadWithSourcesThatFailedBefore checks that Reload does not wait for a source that the policy in
// force names and that never loaded.
func TestReloadWithSourcesThatFailedBefore(t *testing.T) {
	t.Parallel()
	tenants, other := &table{err: errors.New("down")}, &table{rows: []string{shop}}
	layer, _ := newLayer(t, tenantsPolicy, corsrpc.WithOriginSource("tenants", tenants), corsrpc.WithOriginSource("other", other))
	if err := layer.Reload(t.Context(), compilePolicy(t, `defaults: {allow_origins: [https://app.example.com], allow_origins_from: [tenants, other]}`)); err != nil || !allows(layer, page) || !allows(layer, shop) {
		t.Error(err)
	}
	if tenants.timesLoaded() != 0 || other.timesLoaded() != 1 {
		t.Errorf("loaded %d and %d times", tenants.timesLoaded(), other.timesLoaded())
	}
}

// TestReloadLoadsEachSourceOnce checks that Reload loads a source once if a policy and its shadow name it.
func TestReloadLoadsEachSourceOnce(t *testing.T) {
	t.Parallel()
	tenants, plan := &table{rows: []string{shop}}, compilePolicy(t, tenantsPolicy)
	layer, _ := newLayer(t, smallest, corsrpc.WithOriginSource("tenants", tenants), corsrpc.WithShadow(plan))
	if err := layer.Reload(t.Context(), plan); err != nil || !allows(layer, shop) || tenants.timesLoaded() != 1 {
		t.Errorf("loaded %d times: %v", tenants.timesLoaded(), err)
	}
}

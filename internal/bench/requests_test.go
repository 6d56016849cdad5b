package bench

import "testing"

// requestContests returns a contest for each request, with every implementation: on one goroutine, and on all
// processors without the peers.
func requestContests() (all []contest) {
	for _, c := range requestCases {
		one := contest{name: "Requests"}
		for _, i := range implementations {
			one.contestants = append(one.contestants, contestant{"case=" + c.name + "/by=" + i.name + "/goroutines=one", func(t testing.TB) func(int) {
				return serve(i.wrap(t, c.setting, newRPC(c.setting.expose)), c.request())
			}})
		}
		all = append(all, one)
	}
	for _, c := range requestCases {
		parallel := contest{name: "Requests"}
		for _, i := range implementations {
			if i.peer {
				continue
			}
			parallel.contestants = append(parallel.contestants, contestant{"case=" + c.name + "/by=" + i.name + "/goroutines=all", func(t testing.TB) func(int) {
				return serveOnAll(i.wrap(t, c.setting, newRPC(c.setting.expose)), c.request)
			}})
		}
		all = append(all, parallel)
	}
	return all
}

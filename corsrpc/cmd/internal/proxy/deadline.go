package proxy

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// maxDeadline is the greatest deadline that the gateway holds a call to, about 24 days.
const maxDeadline = 1<<31 - 1

// deadlineGrace is how much longer than its deadline a call may take. An upstream that keeps deadlines ends the call
// itself, as it sees fit; its clock starts later than the gateway's.
const deadlineGrace = time.Second

type deadlineKey struct{}

// withDeadline returns a context that knows the deadline of its call, and does not end with it.
func withDeadline(ctx context.Context, deadline time.Time) context.Context {
	return context.WithValue(ctx, deadlineKey{}, deadline)
}

// isPastDeadline reports whether the deadline of the call has passed.
func isPastDeadline(ctx context.Context) bool {
	deadline, ok := ctx.Value(deadlineKey{}).(time.Time)
	return ok && !time.Now().Before(deadline)
}

// deadlineOf returns the deadline that a call carries, from its start: Grpc-Timeout or Connect-Timeout-Ms.
// A value that is not valid is left to the upstream.
//
// See https://connectrpc.com/docs/protocol#unary-request and
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests.
func deadlineOf(h http.Header) (time.Duration, bool) {
	if v := h["Connect-Timeout-Ms"]; len(v) == 1 && len(v[0]) <= 10 {
		return number(v[0], time.Millisecond)
	}
	v := h["Grpc-Timeout"]
	if len(v) != 1 || len(v[0]) < 2 || len(v[0]) > 9 {
		return 0, false
	}
	digits, unit := v[0][:len(v[0])-1], v[0][len(v[0])-1]
	units := map[byte]time.Duration{
		'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
	}
	if units[unit] == 0 {
		return 0, false
	}
	return number(digits, units[unit])
}

// number returns a number of units, at most maxDeadline milliseconds.
func number(digits string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0, false
	}
	if limit := maxDeadline * time.Millisecond; time.Duration(n) > limit/unit {
		return limit, true
	}
	return time.Duration(n) * unit, true
}

package fromgo

import "strings"

// readRS reads rs/cors and chi/cors, which began as a copy of it.
func (s *settings) readRS(g *grants) {
	chi := s.library == chiCORS
	functions := []string{"AllowOriginVaryRequestFunc", "AllowOriginRequestFunc", "AllowOriginFunc"}
	decided := false
	for _, name := range functions {
		if !decided && s.function(g, name) {
			decided = true
		}
	}
	switch {
	case decided:
		g.ignored = s.list("AllowedOrigins")
	case len(s.list("AllowedOrigins")) == 0:
		g.everyone, g.everyoneAt = true, s.pos("AllowedOrigins")
	default:
		s.origins(g, "AllowedOrigins", func(i item) originItem {
			o := originItem{item: i, written: strings.ToLower(i.text)}
			o.prefix, o.suffix, o.wildcard = strings.Cut(o.written, "*")
			return o
		})
		g.takeStar()
	}

	names, all := s.known(g, "AllowedHeaders")
	switch {
	case len(names) == 0 && all && chi:
		g.setDefaults("origin", "accept", "content-type")
	case len(names) == 0 && all:
		g.setDefaults("accept", "content-type", "x-requested-with")
	default:
		g.addHeaders(names, strings.ToLower)
		g.authorization = g.allHeaders
	}
	g.headersAt = s.pos("AllowedHeaders")

	methods, all := s.known(g, "AllowedMethods")
	var written []string
	for _, m := range methods {
		if chi {
			m.text = strings.ToUpper(m.text)
		}
		written = append(written, m.text)
	}
	if len(written) == 0 && all {
		written = []string{"GET", "POST", "HEAD"}
	}
	g.setMethods(written, s.pos("AllowedMethods"))

	s.expose(g, "ExposedHeaders")
	s.credentials(g, "AllowCredentials")
	s.readMaxAge(g, "MaxAge", func(n int64) int64 {
		switch {
		case n < 0 && !chi:
			return 0
		case n <= 0:
			return browserMaxAge
		}
		return n
	})
	s.passesOn(g, "OptionsPassthrough")
	s.preflightStatus(g, "OptionsSuccessStatus")
	s.withoutEffect(g, map[string]string{"AllowPrivateNetwork": noneSendsPNA, "Debug": forLogs, "Logger": forLogs})
}

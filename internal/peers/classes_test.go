package peers

// A class is a kind of dangerous configuration.
type class struct {
	name string
	// source is where the class is described.
	source string
	// trusts are the origins that such a configuration allows, in words.
	trusts string
	// attackers are origins that an attacker controls, and that a configuration of this class may allow.
	attackers []string
}

// intended is the origin of the page that every configuration is written for.
const intended = "https://app.example.com"

// paper is the table of the study that lists the first eight classes, by these names.
const paper = "Chen et al., table 3 and section "

var (
	httpsTrustsHTTP = &class{
		name: "HTTPS trust HTTP", source: paper + "5.1",
		trusts:    "the plain http origin of a host, which an attacker in the network can forge",
		attackers: []string{"http://app.example.com"},
	}
	allSubdomains = &class{
		name: "Trust all subdomains", source: paper + "5.2",
		trusts:    "every host below a domain: a vulnerability in one of them is enough",
		attackers: []string{"https://forgotten.example.com"},
	}
	reflectingOrigin = &class{
		name: "Reflecting origin", source: paper + "6.1",
		trusts:    "every origin",
		attackers: []string{"https://attacker.example"},
	}
	prefixMatch = &class{
		name: "Prefix match", source: paper + "6.1",
		trusts:    "every origin that begins with a trusted one",
		attackers: []string{"https://app.example.com.attacker.example"},
	}
	suffixMatch = &class{
		name: "Suffix match", source: paper + "6.1",
		trusts:    "every origin that ends with a trusted domain, without the dot before it",
		attackers: []string{"https://attackexample.com"},
	}
	substringMatch = &class{
		name: "Substring match", source: paper + "6.1",
		trusts:    "every origin that is a part of a trusted text, or that contains one",
		attackers: []string{"https://app.example.co", "https://an-example.com.attacker.example"},
	}
	notEscapingDot = &class{
		name: "Not escaping “.”", source: paper + "6.1",
		trusts:    "every origin that a regular expression with an unescaped dot matches",
		attackers: []string{"https://appaexample.com"},
	}
	trustNull = &class{
		name: "Trust null", source: paper + "6.2",
		trusts:    "the origin `null`, which a sandboxed frame on any site has",
		attackers: []string{"null"},
	}
	loopbackBackdoor = &class{
		name: "Loopback backdoor", source: "not in the study",
		trusts:    "a developer's own machine, in production: on a visitor's machine, any program may listen there",
		attackers: []string{"http://localhost:3000", "http://localhost:31337", "http://localhost.attacker.example"},
	}
)

// classes are the study's classes in the order of its table 3, and the backdoor.
var classes = []*class{
	httpsTrustsHTTP, allSubdomains, reflectingOrigin, prefixMatch, suffixMatch, substringMatch, notEscapingDot, trustNull,
	loopbackBackdoor,
}

// notAsMeant is the class of configurations that cannot mean what their authors expect. Its rows show which of them a library refuses.
var notAsMeant = &class{
	name: "Not as meant", source: "not in the study",
	trusts:    "everyone, or an origin that no browser sends, where its author means something else",
	attackers: []string{"https://attacker.example"},
}

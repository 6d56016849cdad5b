package fromgo

// Effect says what a change does to what is granted.
type Effect string

// The effects.
const (
	Wider    Effect = "wider"    // the policy grants more
	Stricter Effect = "stricter" // the policy grants less
	Same     Effect = "same"     // the policy grants the same, and says it in another way
)

// Change is a difference between the configuration and the policy.
type Change struct {
	// Kind is the kind of the difference, a stable code.
	Kind Kind `json:"kind"`
	// Effect says what it does.
	Effect Effect `json:"effect"`
	// Line is the line of the Go file; 0 for a difference that no line of the configuration causes.
	Line int `json:"line,omitempty"`
	// Setting is the field or option of the library; empty for a difference of the whole.
	Setting string `json:"setting,omitempty"`
	// Values are the origins, headers, methods or variables that are concerned.
	Values []string `json:"values,omitempty"`
	// Message says what differs, in one or two sentences.
	Message string `json:"message"`
}

// Kind is the kind of a change.
type Kind string

// The kinds of changes.
const (
	// RefusedBeforeHandler: a call of another origin no longer runs the handler.
	RefusedBeforeHandler Kind = "REFUSED_BEFORE_HANDLER"
	// Methods: procedures have POST, and GET if they are declared without side effects, and no other method.
	Methods Kind = "METHODS"
	// OtherPaths: paths that are not procedures need a rule.
	OtherPaths Kind = "OTHER_PATHS"
	// OtherPathsRun: a call of another origin to a path that is not a procedure runs the handler.
	OtherPathsRun Kind = "OTHER_PATHS_RUN"
	// OperationalServices: health checks, reflection and their like need a rule.
	OperationalServices Kind = "OPERATIONAL_SERVICES"
	// Disabled: the policy allows no page until an origin is written.
	Disabled Kind = "DISABLED"
	// PostNotAllowed: the configuration does not allow POST, which procedures need.
	PostNotAllowed Kind = "POST_NOT_ALLOWED"
	// OriginRisk: an origin needs a risk to be accepted.
	OriginRisk Kind = "ORIGIN_RISK"
	// OriginNarrowed: a pattern of the policy matches fewer origins.
	OriginNarrowed Kind = "ORIGIN_NARROWED"
	// OriginUnsupported: no pattern of a policy says the same, or less.
	OriginUnsupported Kind = "ORIGIN_UNSUPPORTED"
	// OriginNeverMatched: an item that no origin of a browser matches.
	OriginNeverMatched Kind = "ORIGIN_NEVER_MATCHED"
	// WithoutPort: a pattern for any port matches an origin without a port too.
	WithoutPort Kind = "WITHOUT_PORT"
	// Environment: the values of an environment variable are checked.
	Environment Kind = "ENVIRONMENT"
	// EnvironmentList: a value of a variable may stand for several origins, or for a pattern.
	EnvironmentList Kind = "ENVIRONMENT_LIST"
	// Loopback: origins of a developer's machine belong into a profile.
	Loopback Kind = "LOOPBACK"
	// UnknownUse: other code may change the configuration before the library gets it.
	UnknownUse Kind = "UNKNOWN_USE"
	// UnknownValue: a value is not written in the file.
	UnknownValue Kind = "UNKNOWN_VALUE"
	// CredentialsWithStar: credentials never worked together with every origin.
	CredentialsWithStar Kind = "CREDENTIALS_WITH_STAR"
	// CredentialsRefused: a call with credentials, which the configuration does not allow, no longer runs the handler.
	CredentialsRefused Kind = "CREDENTIALS_REFUSED"
	// ProtocolHeaders: the request headers of the protocols are granted.
	ProtocolHeaders Kind = "PROTOCOL_HEADERS"
	// HeaderNotNeeded: a request header that needs no grant, or never had one.
	HeaderNotNeeded Kind = "HEADER_NOT_NEEDED"
	// HeaderLeftOut: a request header that a policy cannot grant.
	HeaderLeftOut Kind = "HEADER_LEFT_OUT"
	// HeaderStar: the star of a policy grants fewer request headers.
	HeaderStar Kind = "HEADER_STAR"
	// StatusHeaders: the status headers of gRPC-Web can be read.
	StatusHeaders Kind = "STATUS_HEADERS"
	// Trailers: the trailers of Connect with an exposed name can be read.
	Trailers Kind = "TRAILERS"
	// ExposeStar: the star of a configuration exposes more than a policy.
	ExposeStar Kind = "EXPOSE_STAR"
	// ExposeNotNeeded: a response header that needs no exposure, or never had one.
	ExposeNotNeeded Kind = "EXPOSE_NOT_NEEDED"
	// Get: calls by GET and HEAD are granted.
	Get Kind = "GET"
	// MaxAge: browsers keep a preflight for another time.
	MaxAge Kind = "MAX_AGE"
	// PreflightsAnswered: the layer answers preflights that the configuration leaves to the handler, or answers with a
	// status that browsers refuse.
	PreflightsAnswered Kind = "PREFLIGHTS_ANSWERED"
	// SettingWithoutEffect: a setting that a policy does not need.
	SettingWithoutEffect Kind = "SETTING_WITHOUT_EFFECT"
)

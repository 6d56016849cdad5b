package corsinspect

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"strings"
	"sync"
)

//go:embed inspector.html
var inspectorHTML string

//go:embed inspector.css
var inspectorCSS string

// inspectorPage returns the template of the page, and its Content-Security-Policy, which
// allows only the page's style sheet.
var inspectorPage = sync.OnceValue(func() struct {
	template *template.Template
	policy   string
} {
	sum := sha256.Sum256([]byte(inspectorCSS))
	return struct {
		template *template.Template
		policy   string
	}{
		template: template.Must(template.New("inspector").Funcs(template.FuncMap{
			"style": func() template.CSS { return template.CSS(inspectorCSS) },
			"join":  strings.Join,
		}).Parse(inspectorHTML)),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	}
})

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// licensesFile is the list of licences that writeLicenses makes.
const licensesFile = "internal/tools/release/LICENSES.md"

// allowedLicenses are the licences, by their SPDX identifiers, that code in an importer's program may have. They ask for
// attribution at most.
var allowedLicenses = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// readLicenses has licence files that the scanner cannot judge, and that a person has read: by the SHA-256 sum of the
// text without white space around it, the SPDX identifiers that hold for what is compiled in. A new version of such a
// file has to be read again.
var readLicenses = map[string][]string{
	// modernc.org/libc, the licences of others: Go, musl libc (parts of it are BSD-2-Clause), go-netdb and nixpkgs.
	"de2e7c240a45e22cd9f3e4e627cee0f64e23425dee2ab3adb89862f208deb83a": {"BSD-2-Clause", "BSD-3-Clause", "MIT"},
	// modernc.org/memory, LICENSE-LOGO: where the picture in its documentation is from.
	"ce9c578c2968e316b80b180c3f5a5d70a8f32f37256c1bcf944a5de4f9f4eb59": nil,
	// modernc.org/sqlite, the licences of others: section 1 lists what is compiled in. MPL-2.0 is only in section 3, for
	// modules that are required and not compiled in.
	"b72c0d9bdf260373108b700c37b22ad84098560807625e8172a43394ad6bc6a7": {"BSD-3-Clause", "MIT", "blessing"},
	// modernc.org/sqlite, LICENSE-SQLITE: SQLite is in the public domain, which SPDX names by its blessing.
	"14088888f59c8feb910cb6cad319c6f5cddc751201662f3c09ac7b3d4ae04bfa": {"blessing"},
}

// leastCoverage is the percentage of a licence file's words that has to be known licence texts.
const leastCoverage = 75

var (
	licenseName = regexp.MustCompile(`(?i)^(licen[sc]e|copying|unlicense)([.-].*)?$`)
	noticeName  = regexp.MustCompile(`(?i)^notice([.-](txt|md))?$`)
)

// A compiledModule is a module of which an importer compiles in packages.
type compiledModule struct {
	path     string
	licenses []string // SPDX identifiers
	dir      string   // its folder in the module cache
	files    []string // its licence and NOTICE files that hold for the packages: paths from dir, in order
}

// isLicense reports whether a file has a licence by its name. license.go is source.
func isLicense(name string) bool {
	return licenseName.MatchString(name) && !strings.HasSuffix(name, ".go")
}

// hasNotice reports whether the module has a NOTICE file.
func (m compiledModule) hasNotice() bool {
	return slices.ContainsFunc(m.files, func(f string) bool { return noticeName.MatchString(path.Base(f)) })
}

// classify returns the licences in the text of a licence file. The error says why the text is not allowed.
func classify(text []byte) ([]string, error) {
	sum := sha256.Sum256(bytes.TrimSpace(text))
	if ids, read := readLicenses[hex.EncodeToString(sum[:])]; read {
		return slices.Clone(ids), nil
	}
	coverage := licensecheck.Scan(text)
	var ids []string
	for _, match := range coverage.Match {
		if !slices.Contains(ids, match.ID) {
			ids = append(ids, match.ID)
		}
		if !slices.Contains(allowedLicenses, match.ID) {
			return ids, fmt.Errorf("the licence %s is not among those allowed: %s", match.ID, strings.Join(allowedLicenses, ", "))
		}
	}
	if len(ids) == 0 || coverage.Percent < leastCoverage {
		return ids, fmt.Errorf("only %.0f %% of its words are a known licence", coverage.Percent)
	}
	slices.Sort(ids)
	return ids, nil
}

// licensesIn returns the licences of the licence files in the folders from dir up to top, and the names from top of these
// files and of the NOTICE files beside them.
func licensesIn(top, dir string) (ids, files []string, err error) {
	for ; ; dir = filepath.Dir(dir) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range entries {
			if e.IsDir() || !isLicense(e.Name()) && !noticeName.MatchString(e.Name()) {
				continue
			}
			name := filepath.Join(dir, e.Name())
			fromTop, err := filepath.Rel(top, name)
			if err != nil {
				return nil, nil, err
			}
			files = append(files, filepath.ToSlash(fromTop))
			if !isLicense(e.Name()) {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, nil, err
			}
			found, err := classify(text)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
			ids = append(ids, found...)
		}
		if dir == top || dir == filepath.Dir(dir) {
			return sortedSet(ids), sortedSet(files), nil
		}
	}
}

// sortedSet returns the texts in order, each once.
func sortedSet(texts []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(texts)))
}

// compiledModules returns the modules of which programs compile in packages that use the given packages of the module
// in dir, on Linux, macOS or Windows. Those whose path is own, or below it, are
// left out.
func compiledModules(ctx context.Context, g goCommand, dir, own string, packages []string) ([]compiledModule, error) {
	modules := map[string]compiledModule{}
	var problems []error
	for _, system := range systems() {
		out, err := g.with("GOOS="+system, "CGO_ENABLED=0").run(ctx, dir, append([]string{"list", "-deps", "-json=Dir,Standard,Module"}, packages...)...)
		if err != nil {
			return nil, err
		}
		for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct {
				Dir      string
				Standard bool
				Module   *struct{ Path, Dir string }
			}
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Standard || p.Module == nil || isOwn(p.Module.Path, own) {
				continue
			}
			ids, files, err := licensesIn(p.Module.Dir, p.Dir)
			if err == nil && len(ids) == 0 {
				err = errors.New("it has no licence file")
			}
			if err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", p.Module.Path, err))
			}
			m := modules[p.Module.Path]
			m.path, m.dir = p.Module.Path, p.Module.Dir
			m.licenses = sortedSet(append(m.licenses, ids...))
			m.files = sortedSet(append(m.files, files...))
			modules[m.path] = m
		}
	}
	sorted := slices.SortedFunc(maps.Values(modules), func(a, b compiledModule) int { return strings.Compare(a.path, b.path) })
	return sorted, errors.Join(problems...)
}

// renderLicenses returns the content of LICENSES.md: for each released module, in order, what is compiled in with it.
func renderLicenses(released []*goModule, compiled map[string][]compiledModule) []byte {
	var b bytes.Buffer
	b.WriteString("# Licences\n\n" +
		"These modules are compiled into the commands of a released module and into programs that import all of its packages, on Linux,\n" +
		"macOS or Windows, besides the Go standard library (BSD-3-Clause). `make licenses` writes this file, and `make release-check`\n" +
		"fails when it is out of date.\n")

	for _, m := range released {
		fmt.Fprintf(&b, "\n## %s\n\n", m.path())
		if len(compiled[m.path()]) == 0 {
			b.WriteString("None.\n")
			continue
		}
		b.WriteString("| Module | Licence | NOTICE file |\n| --- | --- | --- |\n")
		for _, c := range compiled[m.path()] {
			notice := "no"
			if c.hasNotice() {
				notice = "yes"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", c.path, strings.Join(c.licenses, ", "), notice)
		}
	}
	return b.Bytes()
}

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// A try is a command line of a program, and what it has to print.
type try struct {
	args   []string // paths are relative to the root of the repository
	prints string   // VERSION stands for the version
}

// tries has, for each program, how the one in the host's archive is tried.
var tries = map[string][]try{
	"corsrpc": {
		{[]string{"--version"}, "corsrpc VERSION "},
		{[]string{"check", "examples/minimal/cors.yaml"}, "examples/minimal/cors.yaml: no problems"},
	},
	"buf-plugin-corsrpc": {{[]string{"--spec", "--format", "json"}, "buf.plugin.check.v1.CheckService"}},
}

// otherEnvironment has variables of a user that must not change the bytes of a distribution.
var otherEnvironment = []string{
	"GOAMD64=v3", "GOARM64=v9.0", "GOFLAGS=-ldflags=-X=main.other=1", "GOFIPS140=latest", "GOEXPERIMENT=nogreenteagc",
	"CGO_ENABLED=1", "TZ=Asia/Kathmandu", "LANG=tr_TR.UTF-8", "USER=somebody", "HOME=/nonexistent",
}

// checkDistribution builds the programs of the work tree twice, in other folders, with another build cache and other
// variables. It compares the bytes, checks the files, and tries the host's programs. With imagesOnly it does so with the
// container images alone.
func checkDistribution(ctx context.Context, out io.Writer, r *repository, imagesOnly bool) error {
	options := distOptions{version: "v0.0.0-check", platforms: platforms, images: images, imagesOnly: imagesOnly, uncommitted: true}
	rel, at, err := r.distributed(ctx, options)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "dist-check-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	first, err := buildIn(ctx, out, rel, at, filepath.Join(temporary, "1"), options, nil)
	if err != nil {
		return err
	}
	elsewhere := filepath.Join(temporary, "a folder with another name", "2")
	second, err := buildIn(ctx, io.Discard, rel, at.In(time.FixedZone("elsewhere", 3600)), elsewhere, options,
		append(slices.Clone(otherEnvironment), "GOCACHE="+filepath.Join(temporary, "cache")))
	if err != nil {
		return err
	}
	problems := []error{sameBytes(first, second), checkFiles(first, images, rel, at)}
	problems = append(problems, validateSBOMs(ctx, first, r.root, filepath.Join(temporary, "sboms")))
	if !imagesOnly {
		problems = append(problems, tryPrograms(ctx, first, r.root, filepath.Join(temporary, "unpacked"), rel.version, tries))
	}
	if runtime.GOOS == imageSystem {
		problems = append(problems, tryImages(ctx, out, first, temporary, rel.version, imageTries))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	fmt.Fprintf(out, "Two builds have the same %d files. The sums, the archives, the images and the SBOMs are right, and the programs for %s/%s run.\n", len(first), runtime.GOOS, runtime.GOARCH)
	return nil
}

// buildIn builds a distribution below dir, in an environment that has other variables too.
func buildIn(ctx context.Context, out io.Writer, rel *release, at time.Time, dir string, options distOptions, environment []string) (map[string][]byte, error) {
	d, err := newDistribution(ctx, rel, at, dir, options)
	if err != nil {
		return nil, err
	}
	// The variables of the user come first: those of the distribution have to prevail.
	d.command.environment = slices.Concat(environment, d.command.environment)
	return d.build(ctx, out)
}

// sameBytes returns which files of two distributions differ.
func sameBytes(a, b map[string][]byte) error {
	var problems []error
	names := sortedSet(slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b))))
	for _, name := range names {
		if first, second := a[name], b[name]; first == nil || !bytes.Equal(first, second) {
			problems = append(problems, fmt.Errorf("%s: %d bytes in one build and %d in the other, which differ", name, len(first), len(second)))
		}
	}
	return errors.Join(problems...)
}

// checkFiles returns what is wrong with the files of a distribution.
func checkFiles(files map[string][]byte, images map[string]*imageSettings, rel *release, at time.Time) error {
	var problems []error
	fail := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %w", name, fmt.Errorf(format, args...)))
	}
	summed := map[string]string{}
	for line := range strings.Lines(string(files[sumsFile])) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		summed[name] = sum
	}
	binaries := map[string]*binary{} // by the name of the SBOM without its suffix
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name == sumsFile {
			continue
		}
		digest := sha256.Sum256(files[name])
		if summed[name] != hex.EncodeToString(digest[:]) {
			fail(name, "%s has the sum %q", sumsFile, summed[name])
		}
		delete(summed, name)
		if strings.HasSuffix(name, sbomSuffix) {
			continue // is checked with its program
		}
		var inside []*binary
		var err error
		if strings.HasSuffix(name, imageSuffix) {
			inside, err = readImages(name, files[name], images, rel, at)
		} else {
			var b *binary
			if b, err = readArchive(name, files[name], rel, at); b != nil {
				inside = append(inside, b)
			}
		}
		if err != nil {
			fail(name, "%w", err)
		}
		for _, b := range inside {
			base := baseName(b, rel.version)
			if other := binaries[base]; other != nil && !bytes.Equal(other.data, b.data) {
				fail(name, "the program for %s is not that of the archive", b.platform)
			}
			binaries[base] = b
		}
	}
	for name := range summed {
		fail(name, "%s has its sum, and the file is not there", sumsFile)
	}
	sboms := 0
	for _, base := range slices.Sorted(maps.Keys(binaries)) {
		if err := checkSBOM(files[base+sbomSuffix], binaries[base], at); err != nil {
			fail(base+sbomSuffix, "%w", err)
		}
	}
	for name := range files {
		if strings.HasSuffix(name, sbomSuffix) {
			sboms++
		}
	}
	if len(binaries) == 0 || sboms != len(binaries) {
		problems = append(problems, fmt.Errorf("%d SBOMs for %d programs: each has an SBOM", sboms, len(binaries)))
	}
	return errors.Join(problems...)
}

// readArchive returns the binary in an archive. The error says what is wrong with the archive or the binary.
func readArchive(name string, data []byte, rel *release, at time.Time) (*binary, error) {
	unpack, base := untar, strings.TrimSuffix(name, ".tar.gz")
	if strings.HasSuffix(name, ".zip") {
		unpack, base = unzip, strings.TrimSuffix(name, ".zip")
	}
	entries, err := unpack(data)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(base, "_")
	if len(parts) < 4 {
		return nil, fmt.Errorf("%q is not PROGRAM_VERSION_SYSTEM_ARCHITECTURE", base)
	}
	program, version, on := strings.Join(parts[:len(parts)-3], "_"), parts[len(parts)-3], platform{parts[len(parts)-2], parts[len(parts)-1]}
	b := &binary{platform: on}
	executable := program
	if on.system == "windows" {
		executable += ".exe"
	}
	if (on.system == "windows") != strings.HasSuffix(name, ".zip") {
		return nil, errors.New("the archives for Windows are zips, and the others are not")
	}
	want := map[string]bool{executable: false, "LICENSE": false, "README.txt": false, thirdPartyFile: false}
	texts := map[string]string{}
	for i, e := range entries {
		file, inside := strings.CutPrefix(e.Name, base+"/")
		there, known := want[file]
		switch {
		case !inside || !known || there:
			return nil, fmt.Errorf("it contains %q", e.Name)
		case i > 0 && entries[i-1].Name >= e.Name:
			return nil, fmt.Errorf("%q is not in order", e.Name)
		case !e.at.Equal(at):
			return nil, fmt.Errorf("the time of %q is %s, not that of the commit", e.Name, e.at)
		case e.Mode != map[bool]int64{true: 0o755, false: 0o644}[file == executable]:
			return nil, fmt.Errorf("the mode of %q is %o", e.Name, e.Mode)
		case e.Uid != 0 || e.Gid != 0 || e.Uname != "" || e.Gname != "":
			return nil, fmt.Errorf("%q has an owner", e.Name)
		}
		want[file] = true
		if file == executable {
			b.data = e.data
		} else {
			texts[file] = string(e.data)
		}
	}
	for file, there := range want {
		if !there {
			return nil, fmt.Errorf("%s is missing", file)
		}
	}
	if err := checkBinary(b, program, rel); err != nil {
		return nil, err
	}
	if version != rel.version || !strings.Contains(texts["README.txt"], version) {
		return nil, errors.New("README.txt does not name the version")
	}
	return b, checkTexts(texts, b, rel)
}

// checkBinary reads what a binary says of itself. The error says what is wrong with it.
func checkBinary(b *binary, program string, rel *release) (err error) {
	if b.info, err = buildinfo.Read(bytes.NewReader(b.data)); err != nil {
		return err
	}
	b.program = b.info.Path
	settings := map[string]string{}
	for _, s := range b.info.Settings {
		settings[s.Key] = s.Value
	}
	if b.name() != program || b.info.Main.Version != rel.version ||
		settings["GOOS"] != b.platform.system || settings["GOARCH"] != b.platform.architecture || settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" {
		return fmt.Errorf("the program is\n%s", b.info)
	}
	if bytes.Contains(b.data, []byte(os.TempDir()+"/dist-")) {
		return fmt.Errorf("the program has the name of a folder below %s", os.TempDir())
	}
	return nil
}

// licenseTitle matches what comes before a licence in a file with several ones. A licence may have such lines itself, but
// not around one line.
var licenseTitle = regexp.MustCompile(`\n-{80}\n(.+): (.+)\n-{80}\n`)

// checkTexts returns what is wrong with the licences that go with a program.
func checkTexts(texts map[string]string, b *binary, rel *release) error {
	if texts["LICENSE"] != string(rel.tree[ownLicenseFile].data) {
		return errors.New("LICENSE is not that of the repository")
	}
	// Each licence asks that its text is passed on, so each part has one.
	text := texts[thirdPartyFile]
	licensed := map[string]bool{}
	titles := licenseTitle.FindAllStringSubmatchIndex(text, -1)
	for i, at := range titles {
		end := len(text)
		if i+1 < len(titles) {
			end = titles[i+1][0]
		}
		title, file := text[at[2]:at[3]], text[at[4]:at[5]]
		if noticeName.MatchString(path.Base(file)) {
			continue
		}
		if _, err := classify([]byte(text[at[1]:end])); err != nil {
			return fmt.Errorf("%s: %s: %s: %w", thirdPartyFile, title, file, err)
		}
		licensed[title] = true
	}
	wanted := []string{"Go's standard library " + b.info.GoVersion}
	for _, m := range b.info.Deps {
		if !isOwn(m.Path, rel.modules.root().path()) {
			wanted = append(wanted, m.Path+" "+m.Version)
		}
	}
	if got := slices.Sorted(maps.Keys(licensed)); !slices.Equal(got, sortedSet(wanted)) {
		return fmt.Errorf("%s has the licences of %q, and the program contains %q", thirdPartyFile, got, wanted)
	}
	return nil
}

// An archiveEntry is an entry of an archive as its readers return it.
type archiveEntry struct {
	tar.Header
	at   time.Time
	data []byte
}

func untar(data []byte) ([]archiveEntry, error) {
	compressed, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if !compressed.ModTime.IsZero() || compressed.Name != "" {
		return nil, errors.New("the compressed file has a time or a name")
	}
	return readTar(compressed)
}

func readTar(from io.Reader) (entries []archiveEntry, err error) {
	for r := tar.NewReader(from); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		entries = append(entries, archiveEntry{*header, header.ModTime, content})
	}
}

func unzip(data []byte) (entries []archiveEntry, err error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for _, f := range r.File {
		from, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(from)
		if err != nil {
			return nil, err
		}
		entries = append(entries, archiveEntry{tar.Header{Name: f.Name, Mode: int64(f.Mode())}, f.Modified, content})
	}
	return entries, nil
}

// checkSBOM returns what is wrong with the SBOM of a binary: it lists exactly what is compiled in.
func checkSBOM(text []byte, b *binary, at time.Time) error {
	var document sbom
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		return err
	}
	if document.Format != "CycloneDX" || document.Spec != "1.5" || document.Version != 1 || document.Metadata.Timestamp != at.UTC().Format(time.RFC3339) {
		return fmt.Errorf("it is %s %s of %s", document.Format, document.Spec, document.Metadata.Timestamp)
	}
	digest := sha256.Sum256(b.data)
	program := document.Metadata.Component
	if len(program.Hashes) != 1 || program.Hashes[0] != (hash{"SHA-256", hex.EncodeToString(digest[:])}) {
		return fmt.Errorf("the program has the hashes %v", program.Hashes)
	}
	describe := func(name, version, sum string) string { return strings.TrimSpace(name + " " + version + " " + sum) }
	wanted := []string{describe(standardLibrary, strings.TrimPrefix(b.info.GoVersion, "go"), "")}
	for _, m := range append([]*debug.Module{{Path: path.Base(b.program), Version: b.info.Main.Version, Sum: b.info.Main.Sum}}, b.info.Deps...) {
		wanted = append(wanted, describe(m.Path, m.Version, m.Sum))
	}
	var got []string
	refs := map[string]bool{}
	for _, c := range append([]component{program}, document.Components...) {
		sum := ""
		if len(c.Properties) == 1 && c.Properties[0].Name == goSumProperty {
			sum = c.Properties[0].Value
		}
		got = append(got, describe(c.Name, c.Version, sum))
		if !strings.HasPrefix(c.PURL, "pkg:golang/") || !strings.Contains(c.PURL, "@"+c.Version) || len(c.Licenses) == 0 || c.Ref != c.PURL || refs[c.Ref] {
			return fmt.Errorf("the component %s has the package URL %q and the licences %v", c.Name, c.PURL, c.Licenses)
		}
		refs[c.Ref] = true
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		return fmt.Errorf("it lists\n  %s\nand the program contains\n  %s", strings.Join(got, "\n  "), strings.Join(wanted, "\n  "))
	}
	return nil
}

// sbomValidator is the program that validates SBOMs against the JSON Schema of CycloneDX. make dist-check installs what
// it needs.
const sbomValidator = "internal/tools/cyclonedx/validate.mjs"

// validateSBOMs writes the SBOMs below dir and validates them. The repository is in root.
func validateSBOMs(ctx context.Context, files map[string][]byte, root, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	args := []string{filepath.Join(root, filepath.FromSlash(sbomValidator))}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, sbomSuffix) {
			continue
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, files[name], 0o666); err != nil {
			return err
		}
		args = append(args, file)
	}
	_, err := output(exec.CommandContext(ctx, "node", args...))
	return err
}

// tryPrograms unpacks the archives for the host below dir and runs the programs in them in the folder root.
func tryPrograms(ctx context.Context, files map[string][]byte, root, dir, version string, tries map[string][]try) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	suffix := "_" + version + "_" + runtime.GOOS + "_" + runtime.GOARCH
	tried := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		base, isArchive := strings.CutSuffix(name, ".tar.gz")
		program, isHosts := strings.CutSuffix(base, suffix)
		if !isArchive || !isHosts {
			continue
		}
		archive := filepath.Join(dir, name)
		if err := os.WriteFile(archive, files[name], 0o666); err != nil {
			return err
		}
		if _, err := output(exec.CommandContext(ctx, "tar", "-xzf", archive, "-C", dir)); err != nil {
			return err
		}
		if len(tries[program]) == 0 {
			return fmt.Errorf("%s: the table of tries does not say how it is tried", program)
		}
		for _, t := range tries[program] {
			cmd := exec.CommandContext(ctx, filepath.Join(dir, base, program), t.args...)
			cmd.Dir = root
			said, err := cmd.CombinedOutput()
			want := strings.ReplaceAll(t.prints, "VERSION", version)
			if err == nil && !strings.Contains(string(said), want) {
				err = errors.New("it should print " + want)
			}
			if err != nil {
				return fmt.Errorf("%s: %s %q: %w\n%s", name, program, t.args, err, said)
			}
		}
		tried++
	}
	if tried == 0 {
		return fmt.Errorf("no archive is for %s/%s, which this is", runtime.GOOS, runtime.GOARCH)
	}
	return nil
}

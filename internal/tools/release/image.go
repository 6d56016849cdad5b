package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// imageSettings are what the container image of a program has besides the program.
type imageSettings struct {
	description string
	command     []string // the arguments of a container that is started without some
	ports       []string // such as "8080/tcp"
	folders     []string // empty ones, for files of the user
}

// images has the programs that have a container image.
var images = map[string]*imageSettings{
	"corsrpc": {
		description: "CORS for Connect, gRPC-Web and gRPC: the gateway in front of servers in any language, and tools for policies",
		command:     []string{"gateway", "--config", "/etc/corsrpc/gateway.yaml"},
		ports:       []string{"8080/tcp", "9901/tcp"},
		folders:     []string{"etc/corsrpc/"},
	},
}

// imageSuffix ends the name of a file with container images: an OCI image layout in a tar archive.
const imageSuffix = ".oci.tar"

// imageSystem is the system that images are for.
const imageSystem = "linux"

// imageUserID is the user and the group that programs of images run as.
const imageUserID = 65532

// imageUser is imageUserID in the configuration of an image.
var imageUser = fmt.Sprintf("%d:%[1]d", imageUserID)

// Files of an image that name its users.
const (
	imagePasswd = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"
	imageGroup  = "root:x:0:\nnonroot:x:65532:\n"
)

// Annotations that programs look for in an image layout, besides those that the image format has.
const (
	refNameAnnotation   = "org.opencontainers.image.ref.name"
	imageNameAnnotation = "io.containerd.image.name"
)

// An imageBuilder makes the container images of the programs of a release.
type imageBuilder struct {
	rel  *release
	at   time.Time
	user string // that programs run as
}

// imageName returns the name that an image has where it is loaded. The host in it keeps it from looking like an image of
// a registry.
func imageName(program, version string) string { return "localhost/" + program + ":" + version }

// layer returns the files of an image's only layer, as a compressed archive. Licences ask that their texts are passed on
// with the program.
func (m *imageBuilder) layer(b *binary, settings *imageSettings, licences *licensing) ([]byte, error) {
	texts, err := licences.texts(b)
	if err != nil {
		return nil, err
	}
	files := []archiveFile{
		{b.name(), 0o755, b.data},
		{"etc/", fs.ModeDir | 0o755, nil},
		{"etc/group", 0o644, []byte(imageGroup)},
		{"etc/passwd", 0o644, []byte(imagePasswd)},
		{"licenses/", fs.ModeDir | 0o755, nil},
		{"licenses/LICENSE", 0o644, m.rel.tree[ownLicenseFile].data},
		{"licenses/" + thirdPartyFile, 0o644, texts},
	}
	for _, folder := range settings.folders {
		files = append(files, archiveFile{folder, fs.ModeDir | 0o755, nil})
	}
	return tarGz(files, m.at)
}

// labels returns what the labels and the annotations of an image say.
func (m *imageBuilder) labels(program string, settings *imageSettings, licences *licensing) map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":         program,
		"org.opencontainers.image.description":   settings.description,
		"org.opencontainers.image.version":       m.rel.version,
		"org.opencontainers.image.created":       m.at.UTC().Format(time.RFC3339),
		"org.opencontainers.image.licenses":      strings.Join(licences.ownIDs, " AND "),
		"org.opencontainers.image.source":        "https://" + m.rel.modules.root().path(),
		"org.opencontainers.image.documentation": "https://" + m.rel.modules.root().path(),
	}
	if m.rel.commit != "" {
		labels["org.opencontainers.image.revision"] = m.rel.commit
	}
	return labels
}

// image returns the image of a program for one platform.
func (m *imageBuilder) image(b *binary, settings *imageSettings, licences *licensing) (v1.Image, error) {
	compressed, err := m.layer(b, settings, licences)
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(compressed)), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	labels := m.labels(b.name(), settings, licences)
	created := v1.Time{Time: m.at.UTC()}
	config := &v1.ConfigFile{
		Created:      created,
		OS:           b.platform.system,
		Architecture: b.platform.architecture,
		RootFS:       v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:         m.user,
			Entrypoint:   []string{"/" + b.name()},
			Cmd:          settings.command,
			ExposedPorts: map[string]struct{}{},
			WorkingDir:   "/",
			Labels:       labels,
		},
	}
	for _, port := range settings.ports {
		config.Config.ExposedPorts[port] = struct{}{}
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, err
	}
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{Created: created, CreatedBy: "make image"}})
	if err != nil {
		return nil, err
	}
	return mutate.Annotations(image, labels).(v1.Image), nil
}

// archive returns the images of a program for some platforms, as an OCI image layout in a tar archive: an index of one
// index, which has the images. A file manifest.json in it is for those who load it as `docker save` once wrote it; there
// the name of each image ends with its architecture.
func (m *imageBuilder) archive(binaries []*binary, settings *imageSettings, licences *licensing, dir string) ([]byte, error) {
	program := binaries[0].name()
	var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	type loaded struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	var manifest []loaded
	for _, b := range binaries {
		image, err := m.image(b, settings, licences)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: b.platform.system, Architecture: b.platform.architecture}},
		})
		parts, err := image.Manifest()
		if err != nil {
			return nil, err
		}
		blob := func(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
		manifest = append(manifest, loaded{blob(parts.Config.Digest), []string{imageName(program, m.rel.version) + "-" + b.platform.architecture}, []string{blob(parts.Layers[0].Digest)}})
	}
	index = mutate.Annotations(index, m.labels(program, settings, licences)).(v1.ImageIndex)
	descriptor, err := partial.Descriptor(index)
	if err != nil {
		return nil, err
	}
	descriptor.Annotations = map[string]string{refNameAnnotation: m.rel.version, imageNameAnnotation: imageName(program, m.rel.version)}
	written, err := layout.Write(dir, mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: index, Descriptor: *descriptor}))
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(manifest)
	if err == nil {
		err = written.WriteFile("manifest.json", text, 0o644)
	}
	if err != nil {
		return nil, err
	}
	return tarFolder(dir, m.at)
}

// tarFolder returns a tar archive of the files and folders in a folder, each with the same time.
func tarFolder(dir string, at time.Time) ([]byte, error) {
	var files []archiveFile
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		f := archiveFile{filepath.ToSlash(relative), 0o644, nil}
		if entry.IsDir() {
			f.name, f.mode = f.name+"/", fs.ModeDir|0o755
		} else if f.data, err = os.ReadFile(name); err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = writeTar(&b, files, at)
	return b.Bytes(), err
}

// addImages adds the images of a program to files, made of those of its binaries that are for Linux.
func (d *distribution) addImages(files map[string][]byte, built []*binary, licences *licensing, out io.Writer) error {
	binaries := slices.DeleteFunc(slices.Clone(built), func(b *binary) bool { return b.platform.system != imageSystem })
	if len(binaries) == 0 {
		return nil
	}
	program := binaries[0].name()
	settings := d.images[program]
	if settings == nil {
		return nil
	}
	archive, err := (&imageBuilder{d.rel, d.at, imageUser}).archive(binaries, settings, licences, filepath.Join(d.builds, program+"-image"))
	if err != nil {
		return err
	}
	name := program + "_" + d.rel.version + imageSuffix
	files[name] = archive
	var of []string
	for _, b := range binaries {
		of = append(of, b.platform.String())
	}
	fmt.Fprintf(out, "%s: %.1f MB, images for %s\n", name, megabytes(archive), strings.Join(of, " and "))
	return nil
}

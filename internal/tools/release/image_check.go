package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// readImages returns the binaries in a file with images, one for each platform. The error says what is wrong with the
// file, an image or a binary.
func readImages(name string, data []byte, images map[string]*imageSettings, rel *release, at time.Time) ([]*binary, error) {
	program, version, _ := strings.Cut(strings.TrimSuffix(name, imageSuffix), "_")
	settings := images[program]
	if settings == nil || version != rel.version {
		return nil, errors.New("a release without this program or version has images")
	}
	dir, err := os.MkdirTemp("", "image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	entries, err := unpackLayout(data, dir)
	if err != nil {
		return nil, err
	}
	blobs, err := checkBlobs(entries, at)
	if err != nil {
		return nil, err
	}
	index, descriptor, err := indexIn(dir)
	if err != nil {
		return nil, err
	}
	if descriptor.Annotations[refNameAnnotation] != version || descriptor.Annotations[imageNameAnnotation] != imageName(program, version) {
		return nil, fmt.Errorf("index.json names it %v", descriptor.Annotations)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var binaries []*binary
	for _, d := range manifest.Manifests {
		image, err := index.Image(d.Digest)
		if err != nil {
			return nil, err
		}
		if d.Platform == nil {
			return nil, fmt.Errorf("the image %s has no platform", d.Digest)
		}
		b := &binary{platform: platform{d.Platform.OS, d.Platform.Architecture}}
		if err := readImage(b, image, program, settings, rel, at); err != nil {
			return nil, fmt.Errorf("%s: %w", b.platform, err)
		}
		binaries = append(binaries, b)
	}
	if want := 1 + 3*len(binaries); blobs != want || len(binaries) == 0 { // an index; manifest, configuration and layer of each
		return nil, fmt.Errorf("there are %d blobs for %d images, and should be %d", blobs, len(binaries), want)
	}
	return binaries, checkLoadable(dir, program, version, binaries)
}

// indexIn returns the index of images in an image layout, after it has checked every digest, and what index.json has on it.
func indexIn(dir string) (v1.ImageIndex, *v1.Descriptor, error) {
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, nil, err
	}
	if err := validate.Index(outer); err != nil {
		return nil, nil, err
	}
	top, err := outer.IndexManifest()
	if err == nil && len(top.Manifests) != 1 {
		err = fmt.Errorf("index.json lists %d indexes", len(top.Manifests))
	}
	if err != nil {
		return nil, nil, err
	}
	index, err := outer.ImageIndex(top.Manifests[0].Digest)
	return index, &top.Manifests[0], err
}

// unpackLayout writes an image layout to a folder, and returns what it consists of.
func unpackLayout(data []byte, dir string) ([]archiveEntry, error) {
	entries, err := readTar(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !filepath.IsLocal(filepath.FromSlash(e.Name)) {
			return nil, fmt.Errorf("it contains %q", e.Name)
		}
		name := filepath.Join(dir, filepath.FromSlash(e.Name))
		if strings.HasSuffix(e.Name, "/") {
			err = os.Mkdir(name, 0o777)
		} else {
			err = os.WriteFile(name, e.data, 0o666)
		}
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// checkBlobs returns how many blobs an image layout has. The error says what is wrong with an entry or a digest.
func checkBlobs(entries []archiveEntry, at time.Time) (blobs int, err error) {
	for i, e := range entries {
		if err := checkEntry(entries, i, at); err != nil {
			return 0, err
		}
		if folder, digest := path.Split(e.Name); folder == "blobs/sha256/" && digest != "" {
			blobs++
			if sum := sha256.Sum256(e.data); hex.EncodeToString(sum[:]) != digest {
				return 0, fmt.Errorf("%s has the digest %x", e.Name, sum)
			}
		}
	}
	return blobs, nil
}

// checkEntry returns what is wrong with the order, the time, the mode or the owner of an entry.
func checkEntry(entries []archiveEntry, i int, at time.Time) error {
	e := entries[i]
	switch {
	case i > 0 && entries[i-1].Name >= e.Name:
		return fmt.Errorf("%q is not in order", e.Name)
	case !e.at.Equal(at):
		return fmt.Errorf("the time of %q is %s, not that of the commit", e.Name, e.at)
	case e.Uid != 0 || e.Gid != 0 || e.Uname != "" || e.Gname != "":
		return fmt.Errorf("%q has an owner", e.Name)
	case strings.HasSuffix(e.Name, "/") && e.Mode != 0o755:
		return fmt.Errorf("the mode of %q is %o", e.Name, e.Mode)
	}
	return nil
}

// readImage reads the binary of an image. The error says what is wrong with the image or the binary.
func readImage(b *binary, image v1.Image, program string, settings *imageSettings, rel *release, at time.Time) error {
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	ran := config.Config
	var ports []string
	for port := range ran.ExposedPorts {
		ports = append(ports, port)
	}
	slices.Sort(ports)
	switch {
	case config.OS != b.platform.system || config.Architecture != b.platform.architecture || b.platform.system != imageSystem:
		return fmt.Errorf("its configuration is for %s/%s", config.OS, config.Architecture)
	case !config.Created.Equal(at) || ran.Labels["org.opencontainers.image.created"] != at.UTC().Format(time.RFC3339):
		return fmt.Errorf("it was created at %s, not at the time of the commit", config.Created)
	case ran.Labels["org.opencontainers.image.version"] != rel.version || ran.Labels["org.opencontainers.image.revision"] != rel.commit:
		return fmt.Errorf("its labels are %v", ran.Labels)
	case ran.User != imageUser || !slices.Equal(ran.Entrypoint, []string{"/" + program}) || !slices.Equal(ran.Cmd, settings.command) ||
		!slices.Equal(ports, slices.Sorted(slices.Values(settings.ports))) || len(ran.Env) > 0 || ran.WorkingDir != "/":
		return fmt.Errorf("it is run as %+v", ran)
	}
	entries, err := layerOf(image)
	if err != nil {
		return err
	}
	modes := map[string]int64{
		program: 0o755, "etc/": 0o755, "etc/group": 0o644, "etc/passwd": 0o644,
		"licenses/": 0o755, "licenses/LICENSE": 0o644, "licenses/" + thirdPartyFile: 0o644,
	}
	for _, folder := range settings.folders {
		modes[folder] = 0o755
	}
	texts := map[string]string{}
	for i, e := range entries {
		if mode, known := modes[e.Name]; !known || e.Mode != mode {
			return fmt.Errorf("its layer has %q with the mode %o", e.Name, e.Mode)
		}
		if err := checkEntry(entries, i, at); err != nil {
			return err
		}
		if e.Name == program {
			b.data = e.data
		}
		texts[path.Base(e.Name)] = string(e.data)
	}
	if len(entries) != len(modes) {
		return fmt.Errorf("its layer has %d files and folders, and should have %d", len(entries), len(modes))
	}
	if texts["passwd"] != imagePasswd || texts["group"] != imageGroup {
		return errors.New("its users are other ones")
	}
	if err := checkBinary(b, program, rel); err != nil {
		return err
	}
	return checkTexts(texts, b, rel)
}

// layerOf returns what the only layer of an image consists of.
func layerOf(image v1.Image) ([]archiveEntry, error) {
	layers, err := image.Layers()
	if err == nil && len(layers) != 1 {
		err = fmt.Errorf("it has %d layers", len(layers))
	}
	if err != nil {
		return nil, err
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return readTar(content)
}

// checkLoadable returns what is wrong with manifest.json, which names each image for `docker load`.
func checkLoadable(dir, program, version string, binaries []*binary) error {
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return err
	}
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf("manifest.json: %w", err)
	}
	for i, m := range manifest {
		for _, blob := range append(slices.Clone(m.Layers), m.Config) {
			if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(blob))); err != nil {
				return fmt.Errorf("manifest.json: %w", err)
			}
		}
		if i >= len(binaries) || !slices.Equal(m.RepoTags, []string{imageName(program, version) + "-" + binaries[i].platform.architecture}) || len(m.Layers) != 1 {
			return fmt.Errorf("manifest.json has %+v", m)
		}
	}
	if len(manifest) != len(binaries) {
		return fmt.Errorf("manifest.json has %d of %d images", len(manifest), len(binaries))
	}
	return nil
}

package schema

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// MaxFileBytes is the maximum size of a descriptor file in bytes, after decompression too.
const MaxFileBytes = 256 << 20

// howToMake says how a descriptor file is made.
const howToMake = "`buf build -o image.binpb` makes one, and so does `protoc --include_imports --include_source_info -o image.binpb FILE.proto`"

// ReadFile reads a descriptor file: a FileDescriptorSet or an image of buf build, in binary form, JSON or
// protobuf's text format, as it is or compressed by gzip. The extension of the name says which format it has.
func ReadFile(name string) (*Part, error) {
	set, err := readFile(name, MaxFileBytes)
	if err != nil {
		return nil, err
	}
	return partOfSet(name, set), nil
}

// ParseFile is ReadFile for the content of a file.
func ParseFile(name string, data []byte) (*Part, error) {
	set, err := parseFile(name, data, MaxFileBytes)
	if err != nil {
		return nil, err
	}
	return partOfSet(name, set), nil
}

// readFile reads a descriptor file of at most limit bytes.
func readFile(name string, limit int) (*descriptorpb.FileDescriptorSet, error) {
	data, err := readBounded(name, limit)
	if err != nil {
		return nil, err
	}
	return parseFile(name, data, limit)
}

// parseFile parses the content of a descriptor file of at most limit bytes.
func parseFile(name string, data []byte, limit int) (set *descriptorpb.FileDescriptorSet, err error) {
	if err := checkSize(name, data, limit); err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(name, ".gz")
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		if data, err = decompress(name, data, limit); err != nil {
			return nil, err
		}
	}
	if set, err = parse(base, data); err != nil {
		return nil, fmt.Errorf("%s %w", name, err)
	}
	return set, nil
}

// readBounded returns the content of a file, and no more than a byte beyond the limit.
func readBounded(name string, limit int) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s does not exist: it has to be a file with descriptors; %s", name, howToMake)
	case err != nil:
		return nil, fmt.Errorf("--descriptors: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder, not a file with descriptors; `buf build %s -o image.binpb` makes one from a folder with .proto files", name, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--descriptors: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("--descriptors: %w", err)
	}
	return data, nil
}

func checkSize(name string, data []byte, limit int) error {
	if len(data) > limit {
		return fmt.Errorf("%s is larger than %d bytes, the maximum size of a file with descriptors: write it with the files of your services only (buf build --path)", name, limit)
	}
	return nil
}

func decompress(name string, data []byte, limit int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s begins like a gzip file, and is not one: %w", name, err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be decompressed: %w", name, err)
	}
	return plain, checkSize(name, plain, limit)
}

// parse parses the content of a descriptor file. The error goes on after the file's name.
func parse(name string, data []byte) (*descriptorpb.FileDescriptorSet, error) {
	ext := strings.ToLower(filepath.Ext(name))
	text := strings.TrimSpace(strings.TrimPrefix(string(data[:min(len(data), 4096)]), "\ufeff"))
	switch {
	case len(data) == 0:
		return nil, errors.New("is empty: " + howToMake)
	case bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return nil, errors.New("is compressed by zstd, which is not supported: write it without .zst or with .gz")
	case strings.HasPrefix(text, "version https://git-lfs."):
		return nil, errors.New("is a pointer of Git LFS instead of the file: run `git lfs pull`")
	case ext == ".proto" || isSource(data, text):
		return nil, errors.New("is the source of a .proto file, not a file with descriptors: " + howToMake)
	case ext == ".json" || strings.HasPrefix(text, "{"):
		return parseJSON(data)
	case ext == ".yaml" || ext == ".yml":
		return nil, errors.New("is a YAML file, which is not supported for descriptors: `buf build -o image.binpb` makes a binary file")
	case ext == ".txtpb" || ext == ".textproto" || ext == ".pbtxt" || ext == ".textpb":
		return parseText(data)
	case utf8.Valid(data) && startsWithFile.MatchString(text):
		return nil, errors.New("is protobuf's text format: give the file a name that ends in .txtpb")
	}
	return parseBinary(data)
}

// sourceStart matches the beginning of a .proto file after its comments.
var sourceStart = regexp.MustCompile(`(?m)^\s*(syntax|edition)\s*=|^\s*(package|import|message|service|option)\s+["(\w.]+`)

// isSource reports whether a file that begins with text is a .proto file.
func isSource(data []byte, text string) bool {
	return utf8.Valid(data) && !bytes.ContainsRune(data, 0) && !startsWithFile.MatchString(text) && sourceStart.MatchString(text)
}

// startsWithFile matches the beginning of a FileDescriptorSet in protobuf's text format.
var startsWithFile = regexp.MustCompile(`^(#[^\n]*\n\s*)*file\s*:?\s*[{<]`)

// parseBinary parses a FileDescriptorSet. Options stay in their binary form, so that one that cannot be
// read is reported with its place by whoever reads it.
func parseBinary(data []byte) (*descriptorpb.FileDescriptorSet, error) {
	set := &descriptorpb.FileDescriptorSet{}
	err := proto.UnmarshalOptions{Resolver: new(protoregistry.Types)}.Unmarshal(data, set)
	switch {
	case err != nil:
		return nil, fmt.Errorf("is not a file with descriptors (%s): %s", cleanError(err), howToMake)
	case len(set.GetFile()) == 0:
		return nil, errors.New("is not a file with descriptors, since it contains none: " + howToMake)
	}
	for _, f := range set.GetFile() {
		if f.GetName() == "" {
			return nil, errors.New("is not a file with descriptors, since one of them has no name: " + howToMake)
		}
	}
	return set, nil
}

// isWellKnown reports whether a .proto file is part of protobuf or of corsrpc, which declare no services.
func isWellKnown(name string) bool {
	return strings.HasPrefix(name, "google/protobuf/") || strings.HasPrefix(name, "corsrpc/v1/")
}

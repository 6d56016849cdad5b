package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// An archiveFile is a file in an archive. Its name has slashes.
type archiveFile struct {
	name string
	mode fs.FileMode
	data []byte
}

// sortFiles puts files in the order of their names.
func sortFiles(files []archiveFile) {
	slices.SortFunc(files, func(a, b archiveFile) int { return strings.Compare(a.name, b.name) })
}

// tarGz returns an archive of files that belong to no user, in the order of their names, each with the same time.
func tarGz(files []archiveFile, at time.Time) ([]byte, error) {
	sortFiles(files)
	var b bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(compressed)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode), Size: int64(len(f.data)), ModTime: at.UTC(), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	err = compressed.Close()
	return b.Bytes(), err
}

// zipped returns a zip of the files, in the order of their names, each with the same time.
func zipped(files []archiveFile, at time.Time) ([]byte, error) {
	sortFiles(files)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at.UTC()}
		header.SetMode(f.mode)
		to, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := to.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

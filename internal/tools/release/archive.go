package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// An archiveFile is a file or a folder in an archive. Its name has slashes, and that of a folder ends with one.
type archiveFile struct {
	name string
	mode fs.FileMode
	data []byte
}

// sortFiles puts files in the order of their names.
func sortFiles(files []archiveFile) {
	slices.SortFunc(files, func(a, b archiveFile) int { return strings.Compare(a.name, b.name) })
}

// tarGz returns a compressed archive of files, as writeTar writes it.
func tarGz(files []archiveFile, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := writeTar(compressed, files, at); err != nil {
		return nil, err
	}
	err = compressed.Close()
	return b.Bytes(), err
}

// writeTar writes an archive of files that belong to no user, in the order of their names, each with the same time.
func writeTar(to io.Writer, files []archiveFile, at time.Time) error {
	sortFiles(files)
	w := tar.NewWriter(to)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode.Perm()), Size: int64(len(f.data)), ModTime: at.UTC(), Format: tar.FormatUSTAR}
		if f.mode.IsDir() {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	return w.Close()
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

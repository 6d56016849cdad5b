package serve

import (
	"database/sql"
	"errors"
	"net/url"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// openSQLite opens a file of SQLite for reading only.
func (o *Origins) openSQLite(file string) error {
	if file == "" {
		return errors.New("the URL has no file: write sqlite:FILE")
	}
	address := "file:" + (&url.URL{Path: file}).EscapedPath() + "?mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)"
	db, err := sql.Open("sqlite", address)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(2)
	db.SetMaxIdleConns(0) // a connection reads the file that it has opened, even if another one replaces it
	o.db = db
	return nil
}

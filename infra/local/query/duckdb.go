//go:build cgo

package query

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// database is DuckDB with the tables of a lake as views.
type database struct {
	db   *sql.DB
	conn *sql.Conn
	lake *lake
}

// catalogName is what Athena calls the catalog, so that names in full work too.
const catalogName = "awsdatacatalog"

// connect makes the views and closes everything else.
func connect(ctx context.Context, l *lake) (*database, error) {
	d := &database{lake: l}
	var err error
	if d.db, err = sql.Open("duckdb", ""); err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	d.db.SetMaxOpenConns(1)
	if d.conn, err = d.db.Conn(ctx); err == nil {
		err = d.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *database) close() error {
	var err error
	if d.conn != nil {
		err = d.conn.Close()
	}
	return errors.Join(err, d.db.Close())
}

func (d *database) prepare(ctx context.Context) error {
	// Timestamps are UTC wherever the laptop is. Nothing is fetched, and nothing is written beside the data.
	statements := []string{
		"SET TimeZone = 'UTC'", "SET autoinstall_known_extensions = false", "SET autoload_known_extensions = false", "SET temp_directory = ''",
		"ATTACH ':memory:' AS " + catalogName,
	}
	schemas := map[string]bool{}
	for _, t := range d.lake.tables {
		if !schemas[t.Database] {
			schemas[t.Database] = true
			statements = append(statements, "CREATE SCHEMA "+catalogName+"."+quote(t.Database), "CREATE SCHEMA "+catalogName+"."+quote(withPath(t.Database)),
				"USE "+catalogName+"."+quote(t.Database))
		}
	}
	if err := d.exec(ctx, statements...); err != nil {
		return err
	}
	for _, views := range []bool{false, true} { // which are of tables
		for _, t := range d.lake.tables {
			if t.View() == views && t.fault == nil {
				t.fault = d.create(ctx, t)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.exec(ctx, "SET allowed_directories = "+list(d.lake.roots), "SET enable_external_access = false", "SET lock_configuration = true")
}

// create makes the views of a table. What cannot be made does not keep the others from being asked.
func (d *database) create(ctx context.Context, t *table) error {
	statements, err := t.create()
	if err != nil {
		return err
	}
	return d.exec(ctx, statements...)
}

func (d *database) exec(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := d.conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("have DuckDB do %.60s…: %w", statement, err)
		}
	}
	return nil
}

// ask runs one statement that reads and writes its result; it returns the number of rows and what is to be said of them.
func (d *database) ask(ctx context.Context, statement string, format string, out output) (rows int64, note string, err error) {
	inner, _ := stripped(statement)
	if err := d.check(ctx, inner); err != nil {
		return 0, "", err
	}
	types, err := d.types(ctx, statement)
	if err != nil {
		return 0, "", d.explain(err, statement)
	}
	result, err := d.query(ctx, statement, types)
	if err != nil {
		return 0, "", d.explain(err, statement)
	}
	defer result.Close() //nolint:errcheck // Err has told
	headings := make([]heading, len(types))
	for i, c := range types {
		headings[i] = heading{name: c.name, number: isNumber(c.info)}
	}
	out.begin(headings)
	values, into := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	for result.Next() {
		if err := result.Scan(into...); err != nil {
			return rows, "", fmt.Errorf("read result: %w", err)
		}
		cells := make([]cell, len(types))
		for i, v := range values {
			switch {
			case v == nil:
				cells[i].null = true
			case format == "json":
				cells[i].text = types[i].json(v)
			default:
				cells[i].text = types[i].text(v, format == "csv")
			}
		}
		out.row(cells)
		rows++
	}
	if err := result.Err(); err != nil {
		return rows, "", d.explain(err, statement)
	}
	note, err = out.end()
	return rows, note, err
}

// check has DuckDB's own parser decide whether a text is one statement that reads.
func (d *database) check(ctx context.Context, inner string) error {
	var text string
	if err := d.conn.QueryRowContext(ctx, "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", inner).Scan(&text); err != nil {
		return fmt.Errorf("parse statement: %w", err)
	}
	var p parsed
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return fmt.Errorf("parse statement: %w", err)
	}
	return p.check()
}

// column is a column of a result.
type column struct {
	name   string
	info   duckdb.TypeInfo
	isJSON bool
}

// types are those of the result's columns, known before anything is read.
func (d *database) types(ctx context.Context, statement string) ([]column, error) {
	var columns []column
	err := d.conn.Raw(func(driver any) error {
		conn, ok := driver.(*duckdb.Conn)
		if !ok {
			return fmt.Errorf("ask DuckDB: the driver's connection is a %T", driver)
		}
		prepared, err := conn.PrepareContext(ctx, statement)
		if err != nil {
			return err
		}
		defer prepared.Close() //nolint:errcheck // it was only looked at
		s, ok := prepared.(*duckdb.Stmt)
		if !ok {
			return fmt.Errorf("ask DuckDB: the driver's statement is a %T", prepared)
		}
		n, err := s.ColumnCount()
		if err != nil {
			return err
		}
		columns = make([]column, n)
		for i := range columns {
			if columns[i].name, err = s.ColumnName(i); err != nil {
				return err
			}
			if columns[i].info, err = s.ColumnTypeInfo(i); err != nil {
				return err
			}
		}
		return nil
	})
	return columns, err
}

// query runs the statement. The driver parses values of type JSON, which rounds their numbers: such columns are asked for
// as text.
func (d *database) query(ctx context.Context, statement string, columns []column) (*sql.Rows, error) {
	result, err := d.conn.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	reported, err := result.ColumnTypes()
	if err != nil {
		return nil, errors.Join(err, result.Close())
	}
	values, names, found := make([]string, len(columns)), make([]string, len(columns)), false
	for i := range columns {
		names[i] = fmt.Sprintf("c%d", i)
		values[i] = names[i]
		if reported[i].DatabaseTypeName() == "JSON" {
			found, columns[i].isJSON = true, true
			values[i] = "CAST(" + names[i] + " AS VARCHAR)"
		}
	}
	inner, explained := stripped(statement)
	if !found || explained {
		return result, nil
	}
	if end := statementEnd(inner); end > 0 { // a comment stands behind the semicolon
		inner = inner[:end-1]
	}
	if err := result.Close(); err != nil {
		return nil, err
	}
	return d.conn.QueryContext(ctx, "SELECT "+strings.Join(values, ", ")+" FROM ("+inner+"\n) AS t("+strings.Join(names, ", ")+")")
}

// explain makes DuckDB's error one for people.
func (d *database) explain(err error, statement string) error {
	var fault *duckdb.Error
	if !errors.As(err, &fault) {
		return err
	}
	return d.lake.explain(fault.Msg, statement)
}

package query

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/parquet-go/parquet-go"

	"tributary/infra/lakefile"
	"tributary/infra/local/glue"
)

// pathColumn is Athena's hidden column with the object that a row comes from.
const pathColumn = "$path"

// withPath is the schema of the tables with their hidden column.
func withPath(database string) string { return database + "_with_path" }

// create is the SQL that makes the table's view, and before it the one with the hidden column.
func (t *table) create() ([]string, error) {
	names := make([]string, 0, len(t.types))
	for _, c := range t.Columns() {
		names = append(names, quote(c.Name))
	}
	view := quote(t.Database) + "." + quote(t.Name)
	if t.View() {
		values := make([]string, len(names))
		for i, name := range names {
			values[i] = "CAST(" + name + " AS " + duckType(t.types[i]) + ") AS " + name
		}
		return []string{"CREATE VIEW " + view + " AS SELECT " + strings.Join(values, ", ") + " FROM (" + translate(t.view) + ")"}, nil
	}
	rows, err := t.rows()
	if err != nil {
		return nil, err
	}
	inner := quote(withPath(t.Database)) + "." + quote(t.Name)
	return []string{
		"CREATE VIEW " + inner + " AS " + rows,
		"CREATE VIEW " + view + " AS SELECT " + strings.Join(names, ", ") + " FROM " + inner,
	}, nil
}

// rows is the SQL that reads the table's files.
func (t *table) rows() (string, error) {
	switch {
	case len(t.files) == 0:
		values := make([]string, 0, len(t.types)+1)
		for i, c := range t.Columns() {
			values = append(values, null(t.types[i])+" AS "+quote(c.Name))
		}
		return "SELECT " + strings.Join(append(values, "'' AS "+quote(pathColumn)), ", ") + " WHERE false", nil
	case t.Storage.SerDe.Library == glue.ParquetSerDe:
		return t.parquetRows(), nil
	case t.Storage.SerDe.Library == glue.JSONSerDe:
		return t.jsonRows(), nil
	}
	return "", fmt.Errorf("its files are read by %s, which is not known here", t.Storage.SerDe.Library)
}

func null(t glue.Type) string { return "CAST(NULL AS " + duckType(t) + ")" }

// jsonRows reads JSON lines by the columns of Glue; what a line lacks is NULL.
func (t *table) jsonRows() string {
	var columns, values []string
	for i, c := range t.Storage.Columns {
		columns = append(columns, quote(c.Name)+": "+literal(duckType(t.types[i])))
		values = append(values, quote(c.Name))
	}
	paths := make([]string, len(t.files))
	for i, f := range t.files {
		paths[i] = f.path
	}
	return "SELECT " + strings.Join(append(values, t.fromPath()...), ", ") + " FROM read_json(" + list(paths) +
		", format = 'newline_delimited', columns = {" + strings.Join(columns, ", ") + "}, " + t.reading() + ")"
}

// parquetRows reads the files that have the same columns and types together.
func (t *table) parquetRows() string {
	type group struct {
		files []file
		read  []reading // of each column of Glue
		fault string    // why the files cannot be read at all
	}
	var groups []*group
	known := map[string]*group{}
	for _, f := range t.files {
		read, err := t.readings(f)
		key, fault := fmt.Sprint(read), ""
		if err != nil {
			fault = fmt.Sprintf("HIVE_BAD_DATA: %s is no Parquet file that can be read: %v", relative(f.path), err)
			key = fault
		}
		g := known[key]
		if g == nil {
			g = &group{read: read, fault: fault}
			groups, known[key] = append(groups, g), g
		}
		g.files = append(g.files, f)
	}
	selects := make([]string, len(groups))
	for i, g := range groups {
		if g.fault != "" {
			selects[i] = t.broken(g.files[0], g.fault)
			continue
		}
		var values, paths []string
		for j, c := range t.Storage.Columns {
			value := g.read[j].value
			if fault := g.read[j].fault; fault.found != "" {
				value = "CAST(error(" + literal(t.badData(fault, g.files)) + ") AS " + duckType(t.types[j]) + ")"
			}
			values = append(values, value+" AS "+quote(c.Name))
		}
		for _, f := range g.files {
			paths = append(paths, f.path)
		}
		selects[i] = "SELECT " + strings.Join(append(values, t.fromPath()...), ", ") +
			" FROM read_parquet(" + list(paths) + ", binary_as_string = true, " + t.reading() + ")"
	}
	return strings.Join(selects, " UNION ALL ")
}

// reading is how a column of Glue is read from a file.
type reading struct {
	value string
	fault mismatch // with a type that was found where it cannot be read
}

// readings are those of a file's columns.
func (t *table) readings(f file) (all []reading, err error) {
	defer lakefile.Guard(&err)
	root, err := schemaOf(f.path)
	if err != nil {
		return nil, err
	}
	all = make([]reading, len(t.Storage.Columns))
	for i, c := range t.Storage.Columns {
		node := childOf(root, c.Name)
		if node == nil {
			all[i].value = null(t.types[i])
			continue
		}
		value, fault := fit(node, t.types[i], c.Name, quote(node.Name()))
		if fault != nil {
			all[i].fault = *fault
			continue
		}
		all[i].value = value
	}
	return all, nil
}

func schemaOf(path string) (*parquet.Column, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p, err := lakefile.Open(f, info.Size())
	if err != nil {
		return nil, err
	}
	return p.Root(), nil
}

// badData says what is wrong, and what to do.
func (t *table) badData(m mismatch, in []file) string {
	more := ""
	if n := len(in) - 1; n == 1 {
		more = " and in 1 more file"
	} else if n > 1 {
		more = fmt.Sprintf(" and in %d more files", n)
	}
	return fmt.Sprintf("HIVE_BAD_DATA: column %s of table %s is %s in Glue, but %s in %s%s: Athena refuses this, or loses rows in filters.\n"+
		"Have the runs processed again by the contract that is deployed: go tool mage ops:replay DATASET -force\n"+
		"A type that was changed needs a new major version and with it a table of its own: go tool mage contract:diff OLD NEW",
		m.column, t.Name, m.declared, m.found, relative(in[0].path), more)
}

// broken stands for a file that cannot be read: whoever reads its day is told so.
func (t *table) broken(f file, fault string) string {
	values := make([]string, 0, len(t.types)+1)
	for i, c := range t.Storage.Columns {
		values = append(values, null(t.types[i])+" AS "+quote(c.Name))
	}
	values = append(values, literal(f.day)+" AS "+quote(t.days.Key), literal(t.prefix+f.key)+" AS "+quote(pathColumn))
	return "SELECT " + strings.Join(values, ", ") + " WHERE error(" + literal(fault) + ") IS NULL"
}

// reading are the options that give a row its path and its day.
func (t *table) reading() string {
	return "filename = " + literal(pathColumn) + ", hive_partitioning = true, hive_types = {" + quote(t.days.Key) + ": VARCHAR}"
}

// fromPath are the values that come from an object's key.
func (t *table) fromPath() []string {
	return []string{
		quote(t.days.Key),
		literal(t.prefix) + " || substr(" + quote(pathColumn) + fmt.Sprintf(", %d", len([]rune(t.root))+2) + ") AS " + quote(pathColumn),
	}
}

func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = literal(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// unnest is how Trino makes rows of an array of rows, each field a column.
var unnest = regexp.MustCompile(`CROSS JOIN UNNEST\(([^()]*)\) AS (\w+) (\([^()]*\))`)

// translate is a view's SQL as DuckDB takes it.
func translate(d glue.Definition) string {
	sql := strings.ReplaceAll(d.SQL, quote(d.Schema)+".", quote(withPath(d.Schema))+".")
	return unnest.ReplaceAllString(sql, "CROSS JOIN LATERAL (SELECT unnest($1, max_depth := 2)) AS $2 $3")
}

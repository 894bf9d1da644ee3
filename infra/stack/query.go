package stack

import (
	"fmt"
	"strings"

	"tributary/infra/component"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// trino is a type as Athena's engine spells it; views hold it beside Glue's spelling of the same.
func trino(t contract.Type) string {
	switch t.Kind {
	case contract.Integer:
		return "bigint"
	case contract.Double:
		return "double"
	case contract.Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case contract.Boolean:
		return "boolean"
	case contract.Timestamp:
		return "timestamp(3)"
	case contract.Date:
		return "date"
	case contract.List:
		return "array(" + trino(t.Elem.Type) + ")"
	case contract.Struct:
		fields := make([]string, len(t.Fields))
		for i := range t.Fields {
			fields[i] = quote(t.Fields[i].Name) + " " + trino(t.Fields[i].Type)
		}
		return "row(" + strings.Join(fields, ", ") + ")"
	default: // String and JSON text
		return "varchar"
	}
}

// quote makes an identifier; literal makes a text.
func quote(name string) string   { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// sources are the tables of a dataset as queries name them.
type sources struct {
	names
	contract *contract.Contract
}

func (s sources) table(name string) string { return quote(s.database()) + "." + quote(name) }
func (s sources) audit() string            { return s.table(zone.AuditTable) }
func (s sources) lake() string             { return s.table(s.contract.Table) }
func (s sources) rejects() string          { return s.table(zone.RejectsTable(s.contract.Dataset)) }
func (s sources) dataset() string          { return literal(s.contract.Dataset) }

// loaded is the condition for audit rows of runs that are whole in the lake.
func (s sources) loaded() string {
	return fmt.Sprintf("dataset = %s AND state = %s AND outcome = %s", s.dataset(), literal(zone.StateDone), literal(zone.OutcomeLoaded))
}

// lastDays bounds a query to the partitions of the last days.
func lastDays(n int) string {
	return fmt.Sprintf("dt >= date_format(current_date - interval '%d' day, '%%Y-%%m-%%d')", n)
}

// latestName is the view of a dataset's newest whole run.
func latestName(dataset string) string { return dataset + "_latest" }

// latest reads the files of the newest run that its audit row calls done and loaded, by the names in that row: a run
// that is being written, held back or replayed is not seen, nor is a file that no row knows of.
func latest(s sources) (string, []component.ViewColumn) {
	columns := make([]component.ViewColumn, 0, len(s.contract.Columns)+1)
	for _, c := range s.contract.Columns {
		columns = append(columns, component.ViewColumn{Name: c.Name, Hive: c.Type.Glue(), Trino: trino(c.Type)})
	}
	columns = append(columns, component.ViewColumn{Name: component.DayColumn, Hive: "string", Trino: "varchar"})
	selected := make([]string, len(columns))
	for i, c := range columns {
		selected[i] = "r." + quote(c.Name)
	}
	return fmt.Sprintf(`SELECT %s
FROM %s r
JOIN (
  SELECT a.dt, f."key"
  FROM (SELECT dt, lake_files FROM %s WHERE %s ORDER BY run_id DESC LIMIT 1) a
  CROSS JOIN UNNEST(a.lake_files) AS f ("key", "rows", "bytes")
) n ON r.dt = n.dt AND r."$path" = %s || n."key"`,
		strings.Join(selected, ", "), s.lake(), s.audit(), s.loaded(), literal("s3://"+s.bucket(lakeBucket)+"/")), columns
}

// queries are what people ask first.
func queries(s sources) []component.Query {
	return []component.Query{
		{
			Name: "latest-runs", Description: "The last runs and what became of them",
			SQL: fmt.Sprintf(`SELECT run_id, state, outcome, reason, records, clean, rejected, warnings, contract_version, stored_at
FROM %s
WHERE dataset = %s AND %s
ORDER BY run_id DESC
LIMIT 50`, s.audit(), s.dataset(), lastDays(30)),
		},
		{
			Name: "rejects-by-rule", Description: "Why records were rejected in the last week, with an example of each reason",
			SQL: fmt.Sprintf(`SELECT v.rule, v.pointer, count(*) AS records, min(r.run_id) AS first_run, max(r.run_id) AS last_run,
  arbitrary(v.message) AS example, arbitrary(r.record) AS record
FROM %s r
CROSS JOIN UNNEST(r.violations) AS v (pointer, rule, message, value)
WHERE %s
GROUP BY v.rule, v.pointer
ORDER BY records DESC`, s.rejects(), strings.Replace(lastDays(7), "dt", "r.dt", 1)),
		},
		{
			Name: "freshness", Description: "How old the newest whole run is",
			SQL: fmt.Sprintf(`SELECT max(run_id) AS newest_run, max(scheduled_at) AS scheduled_at,
  date_diff('minute', from_iso8601_timestamp(max(scheduled_at)), current_timestamp) AS minutes_old
FROM %s
WHERE %s`, s.audit(), s.loaded()),
		},
		{
			Name: "conservation", Description: "Runs whose records are not clean + rejected, or whose files do not hold the clean ones: always empty",
			SQL: fmt.Sprintf(`SELECT run_id, records, clean, rejected, in_files
FROM (
  SELECT run_id, outcome, records, clean, rejected,
    reduce(lake_files, CAST(0 AS bigint), (sum, f) -> sum + f."rows", sum -> sum) AS in_files
  FROM %s
  WHERE dataset = %s AND state = %s
)
WHERE records <> clean + rejected OR (outcome = %s AND in_files <> clean)
ORDER BY run_id DESC`, s.audit(), s.dataset(), literal(zone.StateDone), literal(zone.OutcomeLoaded)),
		},
	}
}

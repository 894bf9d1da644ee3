//go:build cgo

package e2e_test

// What the query command is fed, where it has a database.
var hostileQueries = []hostile{
	{call: "query", sql: "SELECT nonsense FROM coin_markets", want: "nonsense"},
	{call: "query", sql: "SELECT 1 FROM nowhere", want: "nowhere"},
	{call: "query", sql: "\xff;;--", want: ""},
	{call: "query -format=xml", sql: "SELECT 1", want: "-format=xml is none of table, csv and json"},
	{call: "query -dir=h/nowhere", sql: "SELECT 1", want: "h/nowhere holds no tables yet: go tool mage run first"},
	{call: "query", sql: "SELECT 1", files: map[string]string{".local": ""}, want: ".local/catalog.json: a file stands where a folder must be: move it away"},
	{call: "query", sql: "SELECT 1", files: map[string]string{".local/catalog.json": "= h/binary"}, want: ".local/catalog.json: it is no JSON"},
	{call: "query", sql: "SELECT 1", files: map[string]string{".local/catalog.json": `{"tables":[{}]}`}, want: ".local/catalog.json: it has a table without a name"},
	{call: "query", sql: "SELECT count(*) FROM coin_markets", files: map[string]string{"PARQUET": "= h/binary"}, want: "is no Parquet file that can be read"},
	{call: "query", sql: "SELECT count(*) FROM coin_markets", files: map[string]string{"PARQUET": ""}, want: "is no Parquet file that can be read"},
	{call: "query", sql: "SELECT count(*) FROM pipeline_audit", files: map[string]string{"AUDIT": "= h/binary"}, want: ".json"},
	{call: "query -format=csv", sql: "SELECT * FROM coin_markets", stdout: "full", want: "no space left on device"},
	{call: "query -format=csv", sql: "SELECT * FROM coin_markets", stdout: "gone"},
}

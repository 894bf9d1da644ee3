package query

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"tributary/infra/call"
)

// options are the flags of the command.
type options struct {
	stack  string
	dir    string
	format string
	sql    string
}

const usage = `usage: go tool mage query [flags] ["SELECT …"]

Answers SQL on the tables that the stack has in Glue, from the files that local runs left. Without SQL it is a shell:
\d lists the tables, \d TABLE its columns, \q ends it.

`

var errUsage = errors.New("wrong call")

// parse reads flags, which may stand on both sides of the SQL.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("query", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {
		fmt.Fprint(help, usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
		flags.SetOutput(io.Discard)
	}
	flags.StringVar(&o.stack, "stack", "dev", "`name` of the stack whose tables are asked")
	flags.StringVar(&o.dir, "dir", "", "`folder` with what buckets hold (default: .local)")
	flags.StringVar(&o.format, "format", "table", "table, csv or json")
	words, err := call.Parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return o, err
	}
	if err != nil {
		return o, fmt.Errorf("%w: %s; -help shows the flags", errUsage, strings.TrimPrefix(err.Error(), "flag "))
	}
	if len(words) > 1 {
		return o, fmt.Errorf("%w: %d arguments, want one: put the SQL in quotes", errUsage, len(words))
	}
	o.sql = strings.Join(words, "")
	if _, ok := formats[o.format]; !ok {
		return o, fmt.Errorf("%w: -format=%s is none of table, csv and json", errUsage, o.format)
	}
	return o, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/contract/describe"
	"tributary/shared/record"
)

const (
	datasets = "shared/datasets"
	usage    = "usage: contract check [FILE…] | contract diff OLD NEW | contract against REVISION | contract docs [FILE…] | contract jsonschema FILE"
)

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	switch verb, files := args[0], args[1:]; {
	case verb == "check" && len(files) == 0:
		contracts, err := contract.LoadDir(datasets)
		return errors.Join(report(out, contracts...), err)
	case verb == "check":
		return check(out, files)
	case verb == "diff" && len(files) == 2:
		return diff(out, files[0], files[1])
	case verb == "against" && len(files) == 1:
		return against(ctx, out, ".", files[0])
	case verb == "docs":
		return docs(out, files)
	case verb == "jsonschema" && len(files) == 1:
		c, err := contract.Load(files[0])
		if err != nil {
			return err
		}
		schema, err := describe.Schema(c)
		if err != nil {
			return err
		}
		_, err = out.Write(schema)
		return err
	}
	return errors.New(usage)
}

// docs prints the data dictionaries of files, or of all of shared/datasets.
func docs(out io.Writer, files []string) error {
	var contracts []*contract.Contract
	var err error
	if len(files) == 0 {
		if contracts, err = contract.LoadDir(datasets); err != nil {
			return err
		}
	}
	for _, file := range files {
		c, err := contract.Load(file)
		if err != nil {
			return err
		}
		contracts = append(contracts, c)
	}
	for _, c := range contracts {
		fmt.Fprint(out, describe.Dictionary(c))
	}
	return nil
}

func check(out io.Writer, files []string) error {
	var errs []error
	for _, file := range files {
		c, err := contract.Load(file)
		if err == nil {
			err = report(out, c)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// report compiles contracts as the process function would, and says what they describe.
func report(out io.Writer, contracts ...*contract.Contract) error {
	var errs []error
	for _, c := range contracts {
		if _, err := record.Compile(c); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.File, err))
			continue
		}
		rules := len(c.Rules) + len(c.Metrics) + len(c.Uniques)
		fmt.Fprintf(out, "%s: %s %s is good: %s, %s over columns and run, table %s, digest %s\n", c.File, c.Dataset, c.Version,
			screen.Plural(int64(len(c.Columns)), "column", "columns"), screen.Plural(int64(rules), "rule", "rules"), c.Table, c.Digest[:12])
	}
	return errors.Join(errs...)
}

func diff(out io.Writer, oldFile, newFile string) error {
	before, oldErr := contract.Load(oldFile)
	after, newErr := contract.Load(newFile)
	if err := errors.Join(oldErr, newErr); err != nil {
		return err
	}
	changes := contract.Diff(before, after)
	if len(changes) == 0 {
		fmt.Fprintf(out, "%s and %s mean the same\n", oldFile, newFile)
	}
	list(out, "", changes)
	if err := contract.Allowed(before, after, changes); err != nil {
		return fmt.Errorf("%s → %s: %s", oldFile, newFile, strings.TrimSpace(err.Error()))
	}
	return nil
}

// list prints changes, one a line.
func list(out io.Writer, indent string, changes []contract.Change) {
	for _, change := range changes {
		effect := "keeps readers"
		if change.Breaking {
			effect = "BREAKS readers"
		}
		fmt.Fprintf(out, "%s%-14s  %s\n", indent, effect, change)
	}
}

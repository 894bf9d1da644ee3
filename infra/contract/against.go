package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"tributary/infra/revision"
	"tributary/shared/contract"
)

// against holds the contracts of the project at root against those of a revision, dataset by dataset: a file may have
// been renamed.
func against(ctx context.Context, out io.Writer, root, base string) error {
	after, err := contract.LoadDir(filepath.Join(root, datasets))
	if err != nil {
		return err
	}
	commit, err := revision.Resolve(ctx, root, base)
	if errors.Is(err, revision.ErrNothing) {
		fmt.Fprintf(out, "%s: %s\n", base, err)
		return nil
	}
	if err != nil {
		return err
	}
	before, err := at(ctx, root, base, commit)
	if err != nil {
		return err
	}
	errs := make([]error, 0, len(after)+len(before))
	for _, c := range after {
		if former := find(before, c.Dataset); former != nil {
			errs = append(errs, changed(out, former, c))
		} else {
			fmt.Fprintf(out, "%s is new: version %s, table %s, %d columns\n", c.Dataset, c.Version, c.Table, len(c.Columns))
		}
	}
	for _, former := range before {
		if find(after, former.Dataset) == nil {
			errs = append(errs, gone(out, former, base))
		}
	}
	return errors.Join(errs...)
}

// at reads the contracts of a commit.
func at(ctx context.Context, root, base, commit string) ([]*contract.Contract, error) {
	files, err := revision.Files(ctx, root, commit, datasets)
	if err != nil {
		return nil, err
	}
	var contracts []*contract.Contract
	var errs []error
	for _, file := range files {
		if !strings.HasSuffix(file.Name, ".odcs.yaml") {
			continue
		}
		c, err := contract.Parse(base+":"+datasets+"/"+file.Name, file.Text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%w\nThis program refuses the contract as it was, so that nobody can tell what changes: mend it first, in a change of its own", err))
			continue
		}
		contracts = append(contracts, c)
	}
	return contracts, errors.Join(errs...)
}

func find(contracts []*contract.Contract, dataset string) *contract.Contract {
	if i := slices.IndexFunc(contracts, func(c *contract.Contract) bool { return c.Dataset == dataset }); i >= 0 {
		return contracts[i]
	}
	return nil
}

func changed(out io.Writer, before, after *contract.Contract) error {
	changes := contract.Diff(before, after)
	if len(changes) == 0 {
		fmt.Fprintf(out, "%s means the same\n", after.Dataset)
		return nil
	}
	fmt.Fprintf(out, "%s changes:\n", after.Dataset)
	list(out, "  ", changes)
	return contract.Allowed(before, after, changes)
}

// gone judges a contract that is no more. Its readers break with no version to warn them, so it says beforehand, in a
// change of its own, that it will go.
func gone(out io.Writer, former *contract.Contract, base string) error {
	fmt.Fprintf(out, "%s is gone: it was version %s, table %s, %s\n", former.Dataset, former.Version, former.Table, former.Status)
	if former.Status == contract.Retired {
		return nil
	}
	return fmt.Errorf("check removal of %s: at %s its status is %s: publish it with status %s first, so that readers hear of it, and remove it afterwards",
		former.Dataset, base, former.Status, contract.Retired)
}

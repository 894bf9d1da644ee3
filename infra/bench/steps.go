package bench

import (
	"fmt"

	"tributary/infra/bench/engine"
)

// trial is a stage of the engine over one of the files.
type trial struct{ stage, file string }

// The files of the trials: the same records as they are, compressed, and some of them with faults.
const (
	cleanFile = "clean"
	gzipFile  = "gzip"
	dirtyFile = "dirty"
)

// division says what the whole of a trial is made of.
type division struct {
	title string
	whole trial
	steps []step
}

// step is a part of the whole: what some trials cost, less what others do.
type step struct {
	what        string
	plus, minus []trial
}

// divisions are the tables of stages.
func divisions() []division {
	run := func(file string) trial { return trial{engine.StageRun, file} }
	rules := func(file string) trial { return trial{engine.StageKeys, file} }
	hash, gunzip := trial{engine.StageHash, gzipFile}, trial{engine.StageGunzip, gzipFile}
	return []division{
		{
			title: "clean NDJSON; each step by subtraction: a run that ends with it, less the run that ends before it",
			whole: run(cleanFile),
			steps: chain(
				link{"read the file", engine.StageRead},
				link{"scan: tell the JSON apart into records", engine.StageScan},
				link{"decode: values into typed columns", engine.StageTypes},
				link{"rules of single columns", engine.StageConstraints},
				link{"derived columns and CEL rules", engine.StageExpressions},
				link{"keys and metrics of the run", engine.StageKeys},
				link{"Parquet: levels, dictionaries, bounds, pages", engine.StageEncode},
				link{"Parquet: snappy", engine.StageCompress},
				link{"files written, batches handed over", engine.StageFiles},
				link{"projection and fold of served columns", engine.StageRun},
			),
		},
		{
			title: "the same records from gzip; SHA-256 and gunzip are runs of their own",
			whole: run(gzipFile),
			steps: []step{
				{"SHA-256 of the raw page", []trial{hash}, nil},
				{"gunzip", []trial{gunzip}, nil},
				{"the rest, by subtraction", []trial{run(gzipFile)}, []trial{hash, gunzip}},
			},
		},
		{
			title: "2 % of the records dirty; rejects by subtraction: the run over dirty records less the same run over clean ones",
			whole: run(dirtyFile),
			steps: []step{
				{"what clean records cost", []trial{run(cleanFile)}, nil},
				{"rejects: find every violation, take the row out again", []trial{rules(dirtyFile)}, []trial{rules(cleanFile)}},
				{"rejects: write them, less what their rows would cost", []trial{run(dirtyFile), rules(cleanFile)}, []trial{run(cleanFile), rules(dirtyFile)}},
			},
		},
	}
}

type link struct{ what, stage string }

// chain makes steps of stages that each contain the one before.
func chain(links ...link) []step {
	var steps []step
	var before []trial
	for _, l := range links {
		now := []trial{{l.stage, cleanFile}}
		steps = append(steps, step{l.what, now, before})
		before = now
	}
	return steps
}

// trials are what has to be run, each once.
func trials(of []division) []trial {
	var list []trial
	seen := map[trial]bool{}
	add := func(some ...trial) {
		for _, t := range some {
			if !seen[t] {
				seen[t] = true
				list = append(list, t)
			}
		}
	}
	for _, d := range of {
		for _, s := range d.steps {
			add(s.plus...)
			add(s.minus...)
		}
		add(d.whole)
	}
	return list
}

// table shows the division by what each trial costs, in microseconds of processor time per record.
func (d division) table(cost map[trial]float64) *table {
	t := newTable("step", "µs per record", "share", "so far")
	whole, sum := cost[d.whole], 0.0
	for _, s := range d.steps {
		own := 0.0
		for _, p := range s.plus {
			own += cost[p]
		}
		for _, m := range s.minus {
			own -= cost[m]
		}
		sum += own
		t.row(s.what, fmt.Sprintf("%.3f", own), percent(own, whole), fmt.Sprintf("%.3f", sum))
	}
	t.row("**the whole**", fmt.Sprintf("**%.3f**", whole), "100 %", "")
	return t
}

func percent(part, whole float64) string { return fmt.Sprintf("%.1f %%", 100*part/whole) }

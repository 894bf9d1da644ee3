package bench

import (
	"context"

	"tributary/infra/bench/measure"
)

// stages prints what each step of a run costs, on one core.
func (s *session) stages(ctx context.Context) error {
	plain, err := s.plainData(0)
	if err != nil {
		return err
	}
	compressed, err := s.gzipData()
	if err != nil {
		return err
	}
	dirty, err := s.plainData(dirtyPermille)
	if err != nil {
		return err
	}
	files := map[string]string{cleanFile: plain, gzipFile: compressed, dirtyFile: dirty}
	list := trials(divisions())
	runs := map[trial][]measure.Figures{}
	for round := range s.Rounds {
		for i, t := range list {
			s.progress("stages: round %d of %d, run %d of %d", round+1, s.Rounds, i+1, len(list))
			args := s.peer("stage", s.Records, "-stage", t.stage, files[t.file], s.out("stage"))
			figures, err := child{cores: 1, args: args}.measured(ctx)
			if err != nil {
				return err
			}
			runs[t] = append(runs[t], figures)
		}
	}
	cost := map[trial]float64{}
	for t, of := range runs {
		cost[t] = median(of, func(f measure.Figures) float64 { return f.CPUSeconds / float64(s.Records) * 1e6 })
	}
	for _, d := range divisions() {
		s.title("%d records, one core, processor time, %s:", s.Records, d.title)
		d.table(cost).write(s.Out)
	}
	return nil
}

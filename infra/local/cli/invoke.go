package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tributary/infra/input"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/ops"
	"tributary/shared/zone"
)

// readEvent reads an event, and which run it is about; nil where it names none.
func readEvent(name string, stdin io.Reader) ([]byte, *zone.Run, error) {
	var payload []byte
	var err error
	if name == "-" {
		name = "from standard input"
		payload, err = io.ReadAll(stdin)
	} else {
		payload, err = input.File(name)
	}
	if err == nil {
		err = input.JSON(payload, new(any))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read event %s: %w", name, err)
	}
	if about := ops.AboutOf(payload); len(about.Runs) > 0 {
		return payload, &about.Runs[0], nil
	}
	return payload, nil, nil // of another shape: the function may know it
}

func invoke(ctx context.Context, o options, stdout io.Writer, style screen.Style) (err error) {
	payload, run, err := readEvent(o.event, os.Stdin)
	if err != nil {
		return err
	}
	if run != nil && o.dataset == "" {
		o.dataset = run.Dataset
	}
	progress := screen.NewProgress(stdout, style, time.Now)
	defer ticking(progress)()
	s, err := open(ctx, o, progress)
	if err != nil {
		return err
	}
	defer func() {
		if closing := s.close(); closing != nil {
			err = errors.Join(err, closing)
		}
	}()
	c := s.contracts[0]
	function, err := s.outputs.function(c.Dataset, o.function)
	if err != nil {
		return err
	}
	if run != nil {
		if function == s.outputs.Datasets[c.Dataset].ProcessFunction {
			if err := s.bring(ctx, o, c, *run); err != nil {
				progress.Fail()
				return err
			}
		}
		s.sources[c.Dataset].begin(run.At)
	}
	return s.call(ctx, stdout, style, function, payload)
}

// bring has ingest fetch the run that an event is about where no earlier run has. S3's own event would have processed
// it before we can: so the environment is started anew with nothing of that run but its raw objects.
func (s *session) bring(ctx context.Context, o options, c *contract.Contract, run zone.Run) error {
	if _, ok := reader(s.former, "raw")(run.ManifestKey()); ok {
		return nil
	}
	s.progress.Note(fmt.Sprintf("The event is about run %s of %s, which is not in %s: ingest fetches it first.",
		run.ID(), run.Dataset, relative(s.folder.Path())))
	s.progress.Start("ingest", "asking "+s.sources[c.Dataset].url)
	s.sources[c.Dataset].begin(run.At)
	s.watch.reset(s.progress, s.outputs, s.outputs.Datasets[c.Dataset], s.sources[c.Dataset].requests)
	if err := s.fire(c, run.At); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.env.Quiet(waiting); err != nil {
		return fmt.Errorf("fetch run %s of %s: %w", run.ID(), run.Dataset, err)
	}
	objects, err := s.env.Objects(s.outputs.RawBucket)
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", s.outputs.RawBucket, err)
	}
	prefix := strings.TrimSuffix(run.ManifestKey(), zone.ManifestName)
	found := false
	for _, object := range objects {
		if strings.HasPrefix(object.Key, prefix) {
			found = found || object.Key == run.ManifestKey()
			s.former.Objects = append(s.former.Objects, savedObject("raw", object))
		}
	}
	if !found {
		return fmt.Errorf("fetch run %s of %s: %s", run.ID(), run.Dataset, strings.Join(s.watch.faults(), "; "))
	}
	if err := s.env.Close(); err != nil {
		return fmt.Errorf("end environment: %w", err)
	}
	s.stop = s.stop[:len(s.stop)-1]
	if err := s.deploy(ctx, o); err != nil {
		return err
	}
	return s.restore(ctx, o)
}

// call invokes the function, waits until what it set off is done, and prints its answer and its log.
func (s *session) call(ctx context.Context, stdout io.Writer, style screen.Style, function string, payload []byte) error {
	s.watch.reset(s.progress, s.outputs, datasetOutputs{}, nil)
	s.progress.Start("invoke", function)
	result, err := s.env.Invoke(ctx, function, payload)
	if err != nil {
		s.progress.Fail()
		return err
	}
	quiet := s.env.Quiet(ctx)
	if result.Error != "" {
		s.progress.Fail()
	}
	s.progress.Done()
	err = s.keepState()
	answer := screen.Answer{
		Function: function, Payload: string(result.Payload), Error: result.Error, Log: s.env.Logs(function),
		Faults: s.watch.faults(), Saved: relative(s.folder.Path()),
	}
	if quiet != nil {
		answer.Faults = append(answer.Faults, "the environment did not come to rest: "+quiet.Error())
	}
	if err = errors.Join(err, screen.WriteAnswer(stdout, answer, style)); err != nil {
		return err
	}
	if result.Error != "" || len(answer.Faults) > 0 {
		return errShown
	}
	return nil
}

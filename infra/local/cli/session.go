package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tributary/infra/artifact"
	"tributary/infra/local"
	"tributary/infra/local/fault"
	"tributary/infra/local/files"
	"tributary/infra/local/monitor"
	"tributary/infra/local/screen"
	"tributary/infra/stack"
	"tributary/shared/contract"
)

// session is a local environment with what belongs to it.
type session struct {
	root      string
	stack     string
	settings  map[string]any       // laid over those of the stack
	contracts []*contract.Contract // the chosen ones
	progress  *screen.Progress
	watch     *watch

	folder  *files.Folder
	former  files.State   // what earlier runs left, those of this session included
	alerts  []files.Alert // of earlier sessions
	sources map[string]*source
	env     *local.Env
	outputs outputs
	faults  *fault.Plan // nil: nothing goes wrong on purpose
	stop    []func() error
}

// open builds the functions, starts the sources and the environment, and gives it back what earlier runs left.
func open(ctx context.Context, o options, progress *screen.Progress) (*session, error) {
	s := &session{stack: o.stack, progress: progress, watch: &watch{progress: progress}, sources: map[string]*source{}}
	if len(o.faults) > 0 {
		s.faults = fault.New(o.faults, o.seed)
		s.watch.forgiving = true
	}
	for _, step := range []func(context.Context, options) error{s.find, s.serve, s.build, s.deploy, s.restore} {
		if err := step(ctx, o); err != nil {
			progress.Fail()
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func (s *session) find(_ context.Context, o options) error {
	var err error
	if s.root, err = files.Root(); err != nil {
		return err
	}
	settings := "Pulumi." + o.stack + ".yaml"
	if _, err := os.Stat(filepath.Join(s.root, settings)); err != nil {
		return fmt.Errorf("%w: there is no stack %s: it would have its settings in %s", errUsage, o.stack, settings)
	}
	if err := s.seen(o); err != nil {
		return err
	}
	all, err := contract.LoadDir(filepath.Join(s.root, "shared", "datasets"))
	if err != nil {
		return fmt.Errorf("load contracts: %w", err)
	}
	if s.contracts, err = choose(all, o.dataset, o.from); err != nil {
		return err
	}
	dir := o.dir
	if dir == "" {
		dir = filepath.Join(s.root, files.Dir(o.stack))
	}
	if s.folder, err = files.Open(dir); err != nil {
		return err
	}
	s.stop = append(s.stop, s.folder.Close)
	if o.fresh {
		if err := s.folder.Clear(); err != nil {
			return err
		}
	}
	if s.former, err = s.folder.Load(); err != nil {
		return fmt.Errorf("%w; go tool mage run -fresh begins with empty stores", err)
	}
	s.alerts = s.former.Alerts
	return nil
}

// seen refuses a run of a day that the stack's tables do not look at: its files would be there, and no query find them.
func (s *session) seen(o options) error {
	if !o.named {
		return nil
	}
	_, config, err := monitor.Config(s.root, o.stack, nil)
	if err != nil {
		return fmt.Errorf("read settings of stack %s: %w", o.stack, err)
	}
	settings, err := stack.ParseConfig(config[stack.ConfigKey])
	if err != nil {
		return fmt.Errorf("read settings of stack %s: %w", o.stack, err)
	}
	at := o.at.Format(time.RFC3339)
	switch {
	case o.at.Format(time.DateOnly) < settings.FirstDay:
		return fmt.Errorf("%w: -at=%s lies before %s, the first day that the tables look at (firstDay in Pulumi.%s.yaml): no query would find the run",
			errUsage, at, settings.FirstDay, o.stack)
	case o.at.Truncate(day).After(time.Now().UTC().Truncate(day).Add(day)):
		return fmt.Errorf("%w: -at=%s lies after tomorrow, the last day that the tables look at: no query would find the run", errUsage, at)
	}
	return nil
}

const day = 24 * time.Hour

const artifacts = ".build/local"

func (s *session) build(ctx context.Context, _ options) error {
	platform := artifact.Host().String()
	s.progress.Start("functions", "compiling for "+platform)
	if artifact.Check(s.root, artifacts, artifact.Host()) == nil {
		s.progress.Update("unchanged since they were compiled for " + platform)
		return nil
	}
	sizes, err := artifact.Build(ctx, artifact.Options{
		Root: s.root, Dir: artifacts, Target: artifact.Host(), Progress: s.progress.Update,
	})
	if err != nil {
		return fmt.Errorf("build functions: %w", err)
	}
	var total int64
	for _, size := range sizes {
		total += size.Zip
	}
	s.progress.Update(fmt.Sprintf("%s for %s, %s", screen.Plural(int64(len(sizes)), "package", "packages"), platform, screen.Bytes(total)))
	return nil
}

func (s *session) serve(ctx context.Context, o options) error {
	for _, c := range s.contracts {
		from, err := startSource(ctx, c, o.stack, o.from, samplePath(s.root, c.Dataset))
		if err != nil {
			return err
		}
		s.sources[c.Dataset] = from
		s.stop = append(s.stop, from.stop)
	}
	return nil
}

// deploy runs the stack's own program. The settings differ from those of the cloud in where packages and records come
// from, and in nothing else.
func (s *session) deploy(ctx context.Context, o options) error {
	again := s.env != nil
	s.progress.Start("stack", "deploying "+s.stack+" on the embedded AWS")
	s.settings = settingsOf(s.sources)
	var err error
	s.env, err = local.Start(ctx, local.Options{
		Root: s.root, Stack: s.stack, Program: stack.For(artifact.Host()), Settings: s.settings, Events: s.watch.event, Faults: s.faults,
	})
	if err != nil {
		return fmt.Errorf("start local environment: %w", err)
	}
	s.stop = append(s.stop, s.env.Close)
	if s.outputs, err = readOutputs(s.env.Exports()); err != nil {
		return err
	}
	if err := s.fillSecrets(o.secret); err != nil {
		return err
	}
	detail := fmt.Sprintf("%s: %s at %s", s.stack, screen.Plural(int64(len(s.env.Resources())), "resource", "resources"), s.env.Endpoint)
	if again {
		detail = "started anew, with nothing of this run but its raw objects"
	}
	s.progress.Update(detail)
	s.progress.Done()
	return nil
}

// settingsOf are laid over those of the stack.
func settingsOf(sources map[string]*source) map[string]any {
	datasets := map[string]any{}
	for name, from := range sources {
		datasets[name] = map[string]any{"sourceUrl": from.url}
	}
	return map[string]any{stack.ConfigKey: map[string]any{"artifacts": artifacts, "datasets": datasets}}
}

// fillSecrets does what the owner of a stack does once: it gives each secret the value that opens the API.
func (s *session) fillSecrets(live string) error {
	for dataset, from := range s.sources {
		name, value := s.outputs.Datasets[dataset].Secret, live
		if from.api != nil {
			value = from.api.Secret()
		} else if value == "" {
			value = s.former.Secrets[name]
		}
		if name == "" || value == "" {
			continue
		}
		if err := s.env.PutSecret(name, value); err != nil {
			return fmt.Errorf("fill secret of %s: %w", dataset, err)
		}
	}
	return nil
}

// close ends everything, the last first.
func (s *session) close() error {
	var errs []error
	for i := len(s.stop) - 1; i >= 0; i-- {
		errs = append(errs, s.stop[i]())
	}
	s.stop = nil
	return errors.Join(errs...)
}

// ticking redraws the stage at work until the returned function is called.
func ticking(progress *screen.Progress) (stop func()) {
	ticker, done := time.NewTicker(100*time.Millisecond), make(chan struct{})
	go func() {
		for {
			select {
			case <-ticker.C:
				progress.Tick()
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
	}
}

// relative shows a path as seen from the working directory, where that is shorter.
func relative(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(dir, path); err == nil && len(short) < len(path) {
		return short
	}
	return path
}

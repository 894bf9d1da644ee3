package screen

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	stageColumns = 12
	timeColumns  = 12

	patience = 10 * time.Second
)

// Progress writes a line for each stage of the work: rewritten while the stage works where the style is live, once when
// it ends where it is not. It is safe for concurrent use.
type Progress struct {
	w     io.Writer
	style Style
	now   func() time.Time

	mu      sync.Mutex
	name    string // of the stage at work; empty between stages
	detail  string
	subject string
	began   time.Time
	told    time.Time // when a line was written last
	frame   int
	stages  []Stage
}

// NewProgress makes a Progress that takes the time from now.
func NewProgress(w io.Writer, style Style, now func() time.Time) *Progress {
	return &Progress{w: w, style: style, now: now}
}

// Start begins a stage; one that is still at work is done.
func (p *Progress) Start(name, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
	p.name, p.detail, p.began = name, detail, p.now()
	p.told = p.began
	p.draw()
}

// About puts a subject before what the stages from now on say; "" takes it away.
func (p *Progress) About(subject string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.subject = subject; subject != "" {
		p.subject += ": "
	}
}

// Update changes what the stage at work says, from the next Tick or its end on.
func (p *Progress) Update(detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name != "" {
		p.detail = detail
	}
}

// Tick redraws the stage at work, so that its time is seen to go on. Where the style is not live, it writes a line
// every ten seconds.
func (p *Progress) Tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frame++
	p.draw()
	if now := p.now(); !p.style.Live && p.name != "" && now.Sub(p.told) >= patience {
		p.told = now
		p.print(p.line("…", now.Sub(p.began)) + "\n")
	}
}

// Note writes a line of its own below the stages so far.
func (p *Progress) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	for _, line := range wrap(text, p.style.Width-4) {
		p.print("    " + p.style.faint(line) + "\n")
	}
	p.draw()
}

// Done ends the stage at work.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}

// Fail ends the stage at work as failed.
func (p *Progress) Fail() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish(p.style.red("✗"))
}

// Stages are the stages that ended.
func (p *Progress) Stages() []Stage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Stage(nil), p.stages...)
}

func (p *Progress) end() { p.finish(p.style.green("✓")) }

func (p *Progress) finish(mark string) {
	if p.name == "" {
		return
	}
	took := p.now().Sub(p.began)
	p.stages = append(p.stages, Stage{Name: p.name, Detail: p.subject + p.detail, Took: took})
	p.erase()
	p.print(p.line(mark, took) + "\n")
	p.name, p.detail = "", ""
}

func (p *Progress) draw() {
	if !p.style.Live || p.name == "" {
		return
	}
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	p.erase()
	p.print(p.line(string(frames[p.frame%len(frames)]), p.now().Sub(p.began)))
}

func (p *Progress) erase() {
	if p.style.Live {
		p.print("\r\x1b[2K")
	}
}

func (p *Progress) line(mark string, took time.Duration) string {
	columns := p.style.Width - 4 - stageColumns - 1 - timeColumns
	detail := p.subject + p.detail
	return fmt.Sprintf("  %s %s %s%s", mark, padRight(p.name, stageColumns),
		padRight(cut(plain(detail), columns), columns), p.style.faint(padLeft(Duration(took), timeColumns)))
}

// A terminal that has gone away is no reason to stop the work.
func (p *Progress) print(text string) { _, _ = io.WriteString(p.w, text) }

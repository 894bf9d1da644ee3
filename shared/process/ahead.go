package process

import (
	"io"
	"runtime"
	"sync"
)

// What is read ahead at most: enough that neither side waits for the other's every step.
const (
	aheadBlocks = 4
	aheadBlock  = 128 << 10
)

var aheadPool = sync.Pool{New: func() any { return new([aheadBlock]byte) }}

// readAhead reads src on a goroutine of its own, so that fetching, hashing and decompressing run beside decoding. With one
// processor that would only cost: src is returned as it is. After stop, which waits for a read that is under way, src
// belongs to the caller again; some of it may have been read in vain.
func readAhead(src io.Reader) (content io.Reader, stop func()) {
	if runtime.GOMAXPROCS(0) == 1 {
		return src, func() {}
	}
	a := &ahead{blocks: make(chan aheadPart, aheadBlocks), stopped: make(chan struct{})}
	var reading sync.WaitGroup
	reading.Go(func() { a.fill(src) })
	var once sync.Once
	return a, func() {
		once.Do(func() { close(a.stopped) })
		reading.Wait()
	}
}

// ahead is the reading end.
type ahead struct {
	blocks  chan aheadPart
	stopped chan struct{}
	part    aheadPart
	rest    []byte // of part, that has not been read
}

// aheadPart is a block and what ended it, if anything.
type aheadPart struct {
	block *[aheadBlock]byte
	n     int
	err   error
}

// fill reads src to its end, its first error, or stop.
func (a *ahead) fill(src io.Reader) {
	defer close(a.blocks)
	for {
		part := aheadPart{block: aheadPool.Get().(*[aheadBlock]byte)}
		for idle := 0; part.n < aheadBlock && part.err == nil; { // io.ReadFull would take a page that ends too early for its end
			var n int
			n, part.err = src.Read(part.block[part.n:])
			part.n += n
			if idle++; n > 0 {
				idle = 0
			} else if idle == 100 && part.err == nil {
				part.err = io.ErrNoProgress
			}
		}
		select {
		case a.blocks <- part:
		case <-a.stopped:
			return
		}
		if part.err != nil {
			return
		}
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.part.err != nil {
			return 0, a.part.err
		}
		if a.part.block != nil {
			aheadPool.Put(a.part.block)
			a.part.block = nil
		}
		part, ok := <-a.blocks
		if !ok {
			return 0, io.ErrClosedPipe // stopped
		}
		a.part, a.rest = part, part.block[:part.n]
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

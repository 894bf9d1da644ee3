package parquet

// blockSize is small enough that a half-used block in each column is little, and large enough for one write.
const blockSize = 64 << 10

// pool keeps the blocks that a row group gives back for the next one, so that a writer's memory is that of its largest
// row group and nothing is copied as chunks grow.
type pool struct{ free [][]byte }

func (p *pool) take() []byte {
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b
	}
	return make([]byte, 0, blockSize)
}

// spool holds bytes in blocks of a pool.
type spool struct {
	blocks [][]byte
	size   int64
}

func (s *spool) append(p *pool, data []byte) {
	s.size += int64(len(data))
	for len(data) > 0 {
		last := len(s.blocks) - 1
		if last < 0 || len(s.blocks[last]) == blockSize {
			s.blocks = append(s.blocks, p.take())
			last++
		}
		b := s.blocks[last]
		n := min(len(data), blockSize-len(b))
		s.blocks[last] = append(b, data[:n]...)
		data = data[n:]
	}
}

// drain gives all blocks back.
func (s *spool) drain(p *pool) {
	for i, b := range s.blocks {
		p.free = append(p.free, b[:0])
		s.blocks[i] = nil
	}
	s.blocks, s.size = s.blocks[:0], 0
}

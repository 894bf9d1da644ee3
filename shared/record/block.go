package record

import "math"

// Blocks divides the input of a run by records and bytes. The block of a record follows from the place where it starts:
// its number is how often Records goes into the records before it, plus how often Bytes goes into the bytes before it,
// those of former pages among them. So a block has at most Records records, which start within Bytes bytes, and its
// borders lie at the same records whatever a contract makes of them. Numbers are from 0; one is skipped where two borders
// lie at the same record.
type Blocks struct {
	Records int64 // 0: any number
	Bytes   int64 // uncompressed; 0: any number
}

// of gives the block of a record with so much of the run before it, and the counts of which the first to be reached ends
// the block.
func (b Blocks) of(records, bytes int64) (block int64, end Blocks) {
	n, nextRecords := quotient(records, b.Records)
	m, nextBytes := quotient(bytes, b.Bytes)
	return n + m, Blocks{Records: nextRecords, Bytes: nextBytes}
}

// quotient divides, and gives the next multiple as well; without a divisor nothing reaches it.
func quotient(n, by int64) (whole, next int64) {
	if by <= 0 {
		return 0, math.MaxInt64
	}
	whole = n / by
	return whole, (whole + 1) * by
}

// beyond says whether a record that starts at this offset of the page lies in another block than those before it.
func (r *Reader) beyond(offset int64) bool {
	return r.summary.Records >= r.blockEnd.Records || r.offset+offset >= r.blockEnd.Bytes
}

// enter hands out what there is of the block and goes on to that of the record at hand, of which nothing may be in the
// columns.
func (r *Reader) enter(offset int64) error {
	if err := r.settle(); err != nil {
		return err
	}
	if r.row > 0 {
		if err := r.hand(); err != nil {
			return err
		}
		r.begin()
	}
	r.block, r.blockEnd = r.blocks.of(r.summary.Records, r.offset+offset)
	return nil
}

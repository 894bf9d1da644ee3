package record

import (
	"encoding/binary"
	"slices"

	"tributary/shared/contract"
)

// shape is the order in which an object's members came: those of the next one are looked for there first. Where they
// follow it, a name costs the comparison of its bytes.
type shape struct {
	steps    []step
	whole    bool      // they hold every member that the contract names
	learning bool      // the object at hand tells the order
	order    []*member // in which its members came, so far
	strays   int       // objects since the last learning that had a member out of order
	patience int       // how many of these make another worth it
	last     uint64    // the stamp of the last one
}

// step is a member where the shape has it: what passing its name and finding its column need, in one cache line.
type step struct {
	head, mask uint64 // the first eight bytes of the member's key, and those of them that it has
	tail       uint64 // the last eight
	size       int    // of the key
	member     *member
	field      *field
	kind       stepKind
}

type stepKind uint8

const (
	stepOther stepKind = iota
	stepField          // one column takes the value
	stepFloat          // and it is a double
)

const (
	mostPatience = 1 << 12
	lookAhead    = 4 // members in a row that an object may lack without its names being looked up
)

// begin gives the steps to follow: nil where the object at hand tells them.
func (s *shape) begin() []step {
	if s.learning = s.strays >= s.patience; s.learning {
		s.order = s.order[:0]
		return nil
	}
	return s.steps
}

// at says whether the member's name stands at b[i:].
func (s *step) at(b []byte, i int) bool {
	return (word(b, i)^s.head)&s.mask == 0 &&
		(s.size <= 8 || word(b, i+s.size-8) == s.tail && (s.size <= 16 || s.member.middle(b, i)))
}

func (m *member) middle(b []byte, i int) bool {
	for k, w := range m.words {
		if word(b, i+8+8*k) != w {
			return false
		}
	}
	return true
}

// ahead gives the first step behind k whose name stands at b[i:], or k where none of the next ones does.
func ahead(steps []step, k int, b []byte, i int) int {
	for next := k + 1; next < min(k+lookAhead, len(steps)); next++ {
		if steps[next].at(b, i) {
			return next
		}
	}
	return k
}

// strayed takes note of a member that was not where the shape has it, and gives the step to go on with. No step behind k
// has been taken in the object with this stamp, so that what is found by following steps is never there twice.
func (s *shape) strayed(m *member, stamp uint64, k int) int {
	if s.learning {
		if m.key != nil && m.stamp != stamp {
			s.order = append(s.order, m)
		}
		return k
	}
	if s.last != stamp {
		s.last = stamp
		s.strays++
	}
	return max(k, m.step+1)
}

// learn takes the order of the object with this stamp as the shape. Members of the former shape that it lacked keep
// their place behind the one that they followed. Known are the members that the contract names.
func (s *shape) learn(known []*member, stamp uint64) {
	order := s.order
	for j := range s.steps {
		m := s.steps[j].member
		if m.stamp == stamp {
			continue
		}
		place := 0
		if j > 0 {
			place = 1 + slices.Index(order, s.steps[j-1].member)
		}
		order = slices.Insert(order, place, m)
	}
	s.order = order
	s.steps = make([]step, 0, len(order))
	for _, m := range order {
		m.step = -1
		if len(m.key) > pad {
			continue // a window's pad does not let so much be compared
		}
		m.step = len(s.steps)
		s.steps = append(s.steps, newStep(m))
	}
	s.whole = true
	for _, m := range known {
		s.whole = s.whole && m.step >= 0
	}
	s.strays = 0
	s.patience = min(max(1, 2*s.patience), mostPatience)
}

func newStep(m *member) step {
	s := step{member: m, size: len(m.key)}
	var head [8]byte
	n := copy(head[:], m.key)
	s.head = binary.LittleEndian.Uint64(head[:])
	s.mask = ^uint64(0) >> (64 - 8*n)
	if last := len(m.key) - 8; last > 0 {
		s.tail = binary.LittleEndian.Uint64(m.key[last:])
	}
	if f := m.read.field; m.count == nil && f != nil && m.read.also == nil {
		s.field, s.kind = f, stepField
		if f.kind == contract.Double {
			s.kind = stepFloat
		}
	}
	return s
}

package main

import "bytes"

// cut shortens JSON of which only the beginning was read to values that are whole, and closes what they lie in: of lines or
// an array the first, of an envelope what stands before the cut. ok is false where it would lose more than half.
func cut(part []byte) (whole []byte, ok bool) {
	type container struct {
		closing byte
		end     int // behind the last value that is whole
	}
	open := []container{{}} // the document
	for i := 0; i < len(part); i++ {
		top := &open[len(open)-1]
		switch c := part[i]; c {
		case '"':
			i = textEnd(part, i+1)
		case ',':
			top.end = i
		case '{', '[':
			open = append(open, container{closing: c + 2})
		case '}', ']':
			if len(open) == 1 {
				return nil, false
			}
			if open = open[:len(open)-1]; len(open) == 1 {
				open[0].end = i + 1
			}
		}
	}
	for depth := range open {
		if 2*open[depth].end < len(part) {
			continue
		}
		whole = bytes.Clone(part[:open[depth].end])
		for ; depth > 0; depth-- {
			whole = append(whole, open[depth].closing)
		}
		return whole, true
	}
	return nil, false
}

// textEnd is where the quote stands that ends the text at i; the end of all where none does.
func textEnd(part []byte, i int) int {
	for ; i < len(part) && part[i] != '"'; i++ {
		if part[i] == '\\' {
			i++
		}
	}
	return i
}

// Package infer writes a data contract from sample records: what a person would write who reads the samples, with what was
// guessed, why, and how sure it is. It is pure: bytes in, YAML out.
//
//	p, err := infer.Contract("coins", sample, infer.Options{URL: "https://api.example.com/coins"})
//	os.WriteFile("shared/datasets/coins.odcs.yaml", p.YAML, 0o644)
//	for _, n := range p.Notes { … } // n.What, n.Guess, n.Why, n.Sure
//
// The records are an array at the document's root or below a pointer, the members of an object keyed by id, lines of JSON,
// or one object. Of several places that could hold them it takes the one that makes up most of the answer; a list that is a
// part of what looks like a record itself is left where it is. Types hold for every sample: an integer among floats makes a
// number, digits that a double would lose make a decimal, and what has no type in common, is a map of values or nests too
// deep is kept as JSON text. Texts of digits stay texts unless their name counts or measures something. What the samples
// only suggest (a minimum, a set of values, a format) stands as a comment with its evidence and binds nobody.
//
// Refused are samples in which there are no records that a contract can name: HTML, scalars, columnar answers, whose arrays
// hold one column each, rows without names, lists below names that are data, and maps of plain values.
// The contract that is returned loads: whatever this package writes is read back by package contract first.
package infer

// Package describe tells others what a contract says, in their own forms: a data dictionary in Markdown for people, and a
// JSON Schema (draft 2020-12) of the records that the source sends, for those who send or test them. It is pure, and it
// refuses nothing: a contract that loads can be described. What JSON Schema cannot say (derived columns, rules across
// members and over the run, exact decimals beyond multipleOf) is left out of it and stands in the dictionary.
package describe

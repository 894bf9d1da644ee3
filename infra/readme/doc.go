// Package readme does what the README says: it reads every command of it, and runs those that need neither AWS nor the
// internet, in the README's order, in a fresh copy of the project, as somebody does who follows it.
//
// A command is a line of a block of sh, or inline code that begins as commands do. What it needs shows in its words (see
// Command.Needs), and the README must say so: `needs AWS` or `needs the internet` in the line's comment, at the head of its
// block, in its paragraph, or for a section `Every command here needs AWS`. So nothing is left out by a mark alone.
//
// What a reader has to put in, such as the name of a file, stands in Ours, and so does what is not run here. Each
// entry has its reason, and one that no command needs any more is an error.
//
// A block without a language shows what the last command of the paragraph before it prints; see Compare.
package readme

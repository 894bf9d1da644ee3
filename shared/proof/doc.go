// Package proof holds no code: its tests show that packages ingest and process lose nothing and do nothing twice.
//
// A case is a schedule, drawn by rapid: actors (ingests of two runs, one of them by two instances at once; deliveries of
// the manifests' events; replays, plain and forced, under contracts of higher versions and under another build of the same
// version), the turns between them, call by call of the adapters, and the faults that befall calls. A cooperative scheduler
// plays it in a synctest bubble: all goroutines stand still but the one whose call was let through, so that a schedule is
// played in the same way every time. A failing one is printed, small, with the seed that draws it again. An actor whose
// invocation failed is invoked again, by Lambda under the same request id and later, when the clock has gone on, from the
// failure queue, until everything is done. Or nobody invokes it again: then a later ingest looks back, starts what was lost,
// and leaves no run that is not done; and what lies in the queue is delivered once more.
//
// A family of its own is a source with an incremental cursor, which grows while three runs and their retries read it and
// cuts some of them short. At any time the state of its cursor goes forward only, and all that the source had up to there
// is in runs whose manifests stand.
//
// Then the world is held against clean runs: the same raw zone processed undisturbed, one contract after the other. For
// each run there must be an order of its contracts of which all the files of lake and rejects, byte for byte, and the
// audit row are the outcome. While a schedule is played, the files that a done audit row names must be those of its
// contract at any time.
//
// What may differ from that clean outcome, and nothing else:
//
//   - An alert comes again, with the same id and text, when the invocation that sent it died, or lost an answer, before
//     it had recorded that; and when a replay is forced.
//   - The alert of an older contract's outcome may be there or not where a newer contract took the run over before the
//     older one's was recorded. The newer one's alert is there, and that of every invocation that came to its end.
//   - An item may be that of an older contract where the contract that holds the run now rejects its record, or holds the
//     run back: an older attempt had put it. Taking it back is not possible. A table of newest items does not know what
//     an item replaced, so that nobody can put that back; a deletion would lose the key instead. What is there is a clean
//     record under a contract that was in force, and never older than what the current contract offers.
//   - An attempt under a contract may have run out of time before it made anything visible: the run is then too large, or
//     keeps the outcome that it had. One that was given up may have left nothing at all, as if it had not been asked for.
//   - Where an older contract's replay is overtaken while it is storing, a newer contract that holds the run finds no
//     outcome to leave in place. The run is then held, as if the newer contract had come first.
//
// The faults are enumerated, not listed: each kind befalls each method of the interfaces that the functions declare, for
// each object that a method is called for. A full run plays on until every fault befell every point 20 times, fails where it
// does not come to that, and leaves the counts and its seed in .build/model.txt, which go tool mage test shows.
// -rapid.checks plays more schedules, -rapid.seed the same again.
//
// The mutants (build tag mutant) show that the model has teeth: each is a planted bug, an edit of the production code
// that the compiler gets as an overlay, so that the code itself knows nothing of them. A mutant that survives fails the
// test.
package proof

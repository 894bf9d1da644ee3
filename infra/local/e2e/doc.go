// Package e2e holds the end-to-end tests of the whole way of a record: the stack's own program on the embedded AWS, the
// functions as processes, and what they leave read back by readers that are not ours. It has no code of its own.
//
// The same tests run against stores that are not ours either, where AWS_ENDPOINT_URL names an endpoint that imitates AWS:
//
//	pip install 'moto[server]' && moto_server -H 127.0.0.1 -p 5000 &
//	AWS_ENDPOINT_URL=http://127.0.0.1:5000 go test ./infra/local/e2e
//
// Objects, items, topics, queues and secrets are then made, held and removed there; package remote says what is passed on and
// what stays ours. The tests that cannot run there are listed in embeddedOnly with the reason, and skipped aloud. One suite at
// a time: names are those of the stack, and one that is taken is an error.
package e2e

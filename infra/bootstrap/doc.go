// Package bootstrap writes what an AWS account must hold before the first `pulumi up`: a bucket for Pulumi's state, a key
// for its secrets, and the roles of GitHub Actions with the limit that they cannot step over.
//
// It is one CloudFormation template, printed by `go tool mage infra:bootstrap` and deployed by one `aws cloudformation
// deploy`. Not a Pulumi program: that would need the state bucket that it is to make, and would leave the roles that
// deploy under the hand of what they deploy. Not a shell script either: CloudFormation keeps its own state in the
// account, shows a change before it is made, rolls back what failed, and is there in every empty account. The template
// is made by Go and not written by hand, because what a deployment may do follows from what the program declares: needs
// has one row for each resource type, and a test fails for a type without one.
//
// What it makes is called PROJECT-bootstrap-…, what a stack declares PROJECT-STACK-…: grants by name prefix never reach
// the former, and no stack may be called bootstrap.
//
//   - The state bucket: versioned, under the key, TLS only, never public; it outlives the template.
//   - The key, for state and for Pulumi's secrets. Every stack has an encryption context of its own.
//   - GitHub's identity provider, where a subject of its tokens is given and the account has none.
//   - For each stack a boundary: what the roles that the stack declares can do at most, whatever their policies say.
//   - For each stack whose subject is given a deploy role, for exactly that subject of GitHub's tokens.
//   - A preview role that reads the state of all stacks and nothing else: a preview compares the program with the state,
//     and what runs in it is the code of a pull request.
//
// A deploy role creates roles under the boundary alone and cannot take it off, changes neither boundary nor its own
// grants, passes roles of its stack to Lambda and EventBridge Scheduler alone, and writes the state of its own stack
// alone. In a stack with protect it deletes nothing that holds data. TestNoWayUp plays what an attacker with its
// credentials would try. What it can do is deploy: whoever decides what the functions do can read what they read.
//
// Two ends remain. KMS checks the tags of a new key as if all keys were meant, so a deploy role could tag, and then
// manage, a key of the account that carries neither of the tags Project and Stack: give an environment an account of its
// own. And the managed policies of a stack (reader, operator) follow its program: attach them to roles that carry the
// boundary too.
package bootstrap

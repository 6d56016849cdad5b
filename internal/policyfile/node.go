package policyfile

// node is a value in a YAML or JSON text.
type node struct {
	kind  nodeKind
	text  string // of a scalar
	pos   Position
	items []*node // of a list
	pairs []pair  // of a mapping, in the order of the text

	flow    bool // whether a mapping of YAML is in braces
	problem int  // of a badNode: the number of its problem, from 1; 0 if that is one of those that are only counted
}

type pair struct {
	key   string
	pos   Position // of the key
	value *node
}

type nodeKind uint8

const (
	nullNode nodeKind = iota
	stringNode
	numberNode
	boolNode
	listNode
	mappingNode
	badNode // a value whose problem has been reported
)

// String returns the kind as part of a message.
func (k nodeKind) String() string {
	return [...]string{"null", "a string", "a number", "a boolean", "a list", "a mapping", "unreadable"}[k]
}

// maxDepth is the maximum nesting depth of a policy.
const maxDepth = 32

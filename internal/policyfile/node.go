package policyfile

// node is a value of a YAML or JSON text.
type node struct {
	kind  nodeKind
	text  string // of a scalar
	pos   Position
	items []*node // of a list
	pairs []pair  // of a mapping, in their order
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
	badNode // reported already
)

// String names the kind for messages.
func (k nodeKind) String() string {
	return [...]string{"null", "a string", "a number", "a boolean", "a list", "a mapping", "unreadable"}[k]
}

// maxDepth is deeper than any policy.
const maxDepth = 32

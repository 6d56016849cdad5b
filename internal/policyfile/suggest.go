package policyfile

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func (f *File) unknownField(p pair, path string, md protoreflect.MessageDescriptor) {
	if f.full() {
		f.omitted++
		return
	}
	var known []string
	for i := range md.Fields().Len() {
		known = append(known, string(md.Fields().Get(i).Name()))
	}
	problem := Problem{Code: CodeUnknownField, Field: join(path, p.key), Value: p.key, Pos: p.pos,
		Reason: fmt.Sprintf("is not a field of %s", md.Name())}
	if fd := f.synonym(p.key, md); fd != nil {
		problem.Fix = string(fd.Name())
	} else if hidden := hiddenCharacter(p.key); hidden != "" && fieldOf(md, visible(p.key)) != nil {
		problem.Reason, problem.Fix = "has "+hidden, visible(p.key)
	} else if nearest, ok := Nearest(p.key, known); ok {
		problem.Fix = nearest
	} else if fd := f.nearestSynonym(p.key, md); fd != nil {
		problem.Fix = string(fd.Name())
	} else if list := listOf(md, p.key); list != nil {
		problem.Reason += ", but of the items of " + string(list.Name())
	} else {
		problem.Reason += ", whose fields are " + strings.Join(known, ", ")
	}
	f.add(problem)
}

// listOf returns the first field of a message that is a list of messages with a field; nil if there is none.
func listOf(md protoreflect.MessageDescriptor, key string) protoreflect.FieldDescriptor {
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if fd.IsList() && fd.Message() != nil && fd.Message() != md && fieldOf(fd.Message(), key) != nil {
			return fd
		}
	}
	return nil
}

// Nearest returns the known word with the smallest edit distance to word, the first one of
// several. It returns false if no word is so near that word may be a misspelling of it.
func Nearest(word string, known []string) (string, bool) {
	if len(word) > 200 {
		return "", false
	}
	best, distance := "", 1+max(1, len(word)/4) // greater than that of any misspelling
	for _, k := range known {
		if len(k)-len(word) >= distance || len(word)-len(k) >= distance {
			continue
		}
		if d := editDistance(fold(word), fold(k), distance); d < distance {
			best, distance = k, d
		}
	}
	return best, best != ""
}

// fold removes the letter case, underscores and hyphens of a word.
func fold(s string) string {
	return strings.ToLower(separators.Replace(s))
}

var separators = strings.NewReplacer("_", "", "-", "")

// editDistance returns the Levenshtein distance with transpositions of adjacent letters. It
// returns limit if the distance is not below that.
func editDistance(a, b string, limit int) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least >= limit {
			return limit
		}
		before, last = last, row
	}
	return last[len(b)]
}

package export

import "errors"

// writeNginx writes the model.
func writeNginx(*Model) (*Export, error) { return nil, errors.New("not written yet") }

package export

import "errors"

// writeEnvoy writes the model.
func writeEnvoy(*Model) (*Export, error) { return nil, errors.New("not written yet") }

package export

import "errors"

// writeGatewayAPI writes the model.
func writeGatewayAPI(*Model) (*Export, error) { return nil, errors.New("not written yet") }

package corsenvoy

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// continueRequest tells Envoy to forward a request, and whether its response needs a look: if the filter has
// allow_mode_override, Envoy then sends that and nothing else, whatever its processing_mode is.
func continueRequest(untouched bool) *extprocv3.ProcessingResponse {
	mode := filterv3.ProcessingMode_SEND
	if untouched {
		mode = filterv3.ProcessingMode_SKIP
	}
	return &extprocv3.ProcessingResponse{
		Response:     &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}},
		ModeOverride: &filterv3.ProcessingMode{ResponseHeaderMode: mode},
	}
}

// continueResponse tells Envoy to pass a response on, with changes of its header.
func continueResponse(changes *extprocv3.HeaderMutation) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseHeaders{ResponseHeaders: &extprocv3.HeadersResponse{
		Response: &extprocv3.CommonResponse{HeaderMutation: changes},
	}}}
}

// addable are the fields of the CORS protocol that Envoy's response_headers_to_add may have put on an answer of Envoy
// itself, which the policy does not see. As behind the layer, only the policy's own fields stay.
var addable = http.Header{
	"Access-Control-Allow-Credentials":     nil,
	"Access-Control-Allow-Headers":         nil,
	"Access-Control-Allow-Methods":         nil,
	"Access-Control-Allow-Origin":          nil,
	"Access-Control-Allow-Private-Network": nil,
	"Access-Control-Expose-Headers":        nil,
	"Access-Control-Max-Age":               nil,
	"Timing-Allow-Origin":                  nil,
}

// immediate tells Envoy to answer a request itself.
func immediate(status int, header http.Header, body []byte) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ImmediateResponse{ImmediateResponse: &extprocv3.ImmediateResponse{
		Status:  &typev3.HttpStatus{Code: typev3.StatusCode(status)},
		Headers: mutation(addable, header),
		Body:    body,
		Details: "corsrpc",
	}}}
}

// mutation returns the changes that make one header out of another; nil if they are equal.
func mutation(from, to http.Header) *extprocv3.HeaderMutation {
	m := &extprocv3.HeaderMutation{}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if len(to[name]) == 0 {
			m.RemoveHeaders = append(m.RemoveHeaders, strings.ToLower(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if slices.Equal(from[name], to[name]) {
			continue
		}
		for i, value := range to[name] {
			m.SetHeaders = append(m.SetHeaders, setField(name, value, i > 0))
		}
	}
	if len(m.RemoveHeaders)+len(m.SetHeaders) == 0 {
		return nil
	}
	return m
}

// setField sets a field, or adds a value to it. Envoy 1.40 heeds append here, and not append_action, which
// replaces it elsewhere.
func setField(name, value string, more bool) *corev3.HeaderValueOption {
	option := &corev3.HeaderValueOption{
		Header:         &corev3.HeaderValue{Key: strings.ToLower(name), RawValue: []byte(value)},
		AppendAction:   corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		KeepEmptyValue: true,
	}
	if more {
		option.AppendAction = corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD
		option.Append = wrapperspb.Bool(true) //nolint:staticcheck // see above
	}
	return option
}

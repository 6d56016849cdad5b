package origin

import (
	"strings"
	"sync"
)

// A sharedHost is a host at whose own origin scripts of unrelated people run, or whose pages call
// any server for whoever opens them.
type sharedHost struct {
	// Host is a host name. A label that is "*" stands for any one label, such as a region.
	Host string
	Kind sharedKind
	// Page is the URL of a page that describes this.
	Page string
}

// A sharedKind is the reason why a host is a sharedHost.
type sharedKind uint8

const (
	playgroundHost sharedKind = iota // runs scripts that anyone writes
	pathTenantHost                   // separates tenants by path only
	apiClientHost                    // calls any server
	numSharedKinds
)

// String returns the rest of a sentence whose subject is an origin of a sharedHost.
func (k sharedKind) String() string {
	switch k {
	case playgroundHost:
		return "runs scripts of anyone (public playground)"
	case pathTenantHost:
		return "runs scripts of unrelated tenants, which only the path separates"
	case apiClientHost:
		return "is a public API client, with which anyone can prepare requests for others to send"
	}
	return ""
}

// sharedHosts is sorted by host. TestSharedHosts describes its form.
var sharedHosts = [...]sharedHost{
	{"*.backblazeb2.com", pathTenantHost, "https://rclone.org/b2/"},
	{"*.digitaloceanspaces.com", pathTenantHost, "https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/"},
	{"bb.githack.com", playgroundHost, "https://raw.githack.com/"},
	{"bbcdn.githack.com", playgroundHost, "https://raw.githack.com/"},
	{"buf.build", apiClientHost, "https://buf.build/docs/bsr/studio"},
	{"cdpn.io", playgroundHost, "https://blog.codepen.io/documentation/"},
	{"editor-next.swagger.io", apiClientHost, "https://github.com/swagger-api/swagger-editor"},
	{"editor.swagger.io", apiClientHost, "https://github.com/swagger-api/swagger-editor"},
	{"explorer.embed.apollographql.com", apiClientHost, "https://www.apollographql.com/docs/graphos/explorer/embed-explorer"},
	{"fiddle.jshell.net", playgroundHost, "https://docs.jsfiddle.net/"},
	{"firebasestorage.googleapis.com", pathTenantHost, "https://firebase.google.com/docs/storage/web/download-files"},
	{"gist.githack.com", playgroundHost, "https://raw.githack.com/"},
	{"gistcdn.githack.com", playgroundHost, "https://raw.githack.com/"},
	{"gistpreview.github.io", playgroundHost, "https://github.com/gistpreview/gistpreview.github.io"},
	{"gl.githack.com", playgroundHost, "https://raw.githack.com/"},
	{"glcdn.githack.com", playgroundHost, "https://raw.githack.com/"},
	{"hoppscotch.io", apiClientHost, "https://docs.hoppscotch.io/"},
	{"htmlpreview.github.io", playgroundHost, "https://github.com/htmlpreview/htmlpreview.github.com"},
	{"httpie.io", apiClientHost, "https://httpie.io/docs/desktop"},
	{"hub.*.mybinder.org", pathTenantHost, "https://mybinder.readthedocs.io/"},
	{"ipfs.io", pathTenantHost, "https://docs.ipfs.tech/how-to/address-ipfs-on-web/"},
	{"jsbin.com", playgroundHost, "https://github.com/jsbin/jsbin"},
	{"nbviewer.org", playgroundHost, "https://nbviewer.org/faq"},
	{"null.jsbin.com", playgroundHost, "https://github.com/jsbin/jsbin"},
	{"output.jsbin.com", playgroundHost, "https://github.com/jsbin/jsbin"},
	{"petstore.swagger.io", apiClientHost, "https://github.com/swagger-api/swagger-ui"},
	{"preview.p5js.org", playgroundHost, "https://github.com/processing/p5.js-web-editor"},
	{"raw.githack.com", playgroundHost, "https://raw.githack.com/"},
	{"rawcdn.githack.com", playgroundHost, "https://raw.githack.com/"},
	{"reqbin.com", apiClientHost, "https://reqbin.com/"},
	{"run.plnkr.co", playgroundHost, "https://github.com/filearts/plunker"},
	{"s3.*.amazonaws.com", pathTenantHost, "https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"},
	{"s3.*.backblazeb2.com", pathTenantHost, "https://www.backblaze.com/docs/cloud-storage-call-the-s3-compatible-api"},
	{"s3.*.wasabisys.com", pathTenantHost, "https://docs.wasabi.com/docs/service-urls-for-wasabis-storage-regions"},
	{"s3.amazonaws.com", pathTenantHost, "https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"},
	{"s3.dualstack.*.amazonaws.com", pathTenantHost, "https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"},
	{"s3.wasabisys.com", pathTenantHost, "https://docs.wasabi.com/docs/service-urls-for-wasabis-storage-regions"},
	{"sandbox.embed.apollographql.com", apiClientHost, "https://www.apollographql.com/docs/apollo-sandbox"},
	{"storage.cloud.google.com", pathTenantHost, "https://cloud.google.com/storage/docs/request-endpoints"},
	{"storage.googleapis.com", pathTenantHost, "https://cloud.google.com/storage/docs/request-endpoints"},
	{"studio.apollographql.com", apiClientHost, "https://www.apollographql.com/docs/graphos/explorer/connecting-authenticating"},
	{"tilde.club", pathTenantHost, "https://tilde.club/"},
	{"tilde.town", pathTenantHost, "https://tilde.town/"},
	{"web.archive.org", pathTenantHost, "https://web.archive.org/"},
	{"web.postman.co", apiClientHost, "https://learning.postman.com/docs/getting-started/first-steps/sending-the-first-request/"},
	{"www.test-cors.org", apiClientHost, "https://www.test-cors.org/"},
	{"www.w3schools.com", playgroundHost, "https://www.w3schools.com/tryit/"},
}

// SharedHost reports whether unrelated people share an origin of host: their scripts run there, or
// its pages call any server for whoever opens them. Host is a host as in Parsed. Why is the rest
// of a sentence whose subject is the origin, such as "runs scripts of anyone (public
// playground)"; it is "" if ok is false. A host below a shared host is not shared.
func SharedHost(host string) (why string, ok bool) {
	host = strings.TrimSuffix(host, ".")
	for _, s := range sharedHostsBySite()[lastTwoLabels(host)] {
		if strings.Count(host, ".") == strings.Count(s.Host, ".") && isAtOrAbove(host, s.Host) {
			return s.Kind.String(), true
		}
	}
	return "", false
}

// sharedHostsBySite returns sharedHosts by the last two labels of the host, neither of which is "*".
// A policy may have a million origins, each of which is looked up.
var sharedHostsBySite = sync.OnceValue(func() map[string][]sharedHost {
	bySite := map[string][]sharedHost{}
	for _, s := range sharedHosts {
		site := lastTwoLabels(s.Host)
		bySite[site] = append(bySite[site], s)
	}
	return bySite
})

// lastTwoLabels returns the last two labels of a host; the host itself if it has fewer.
func lastTwoLabels(host string) string {
	last := strings.LastIndexByte(host, '.')
	if last < 0 {
		return host
	}
	return host[strings.LastIndexByte(host[:last], '.')+1:]
}

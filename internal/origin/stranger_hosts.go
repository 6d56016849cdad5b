package origin

// A strangerHost is a host below which unrelated people get host names, and which the public
// suffix list does not have.
type strangerHost struct {
	// Host is a host name. A label that is "*" stands for any one label, such as a region.
	Host string
	Kind strangerKind
	// Page is the URL of a page that describes these host names.
	Page string
}

// A strangerKind is the reason why people get host names below a strangerHost.
type strangerKind uint8

const (
	workspaceHost   strangerKind = iota // workspaces, previews and sandboxes of code
	tunnelHost                          // tunnels to local servers
	customerHost                        // customers of a service
	siteHost                            // sites, blogs and shops
	wildcardDNSHost                     // names that resolve without registration
	dynamicDNSHost                      // names that anyone can register
	storageHost                         // buckets, databases and CDN zones
	appHost                             // apps of a platform
	numStrangerKinds
)

// String returns a clause about the hosts below a strangerHost of this kind.
func (k strangerKind) String() string {
	switch k {
	case workspaceHost:
		return "where anyone who opens a workspace or a preview gets one"
	case tunnelHost:
		return "where anyone who opens a tunnel gets one"
	case customerHost:
		return "where each customer of the service gets one"
	case siteHost:
		return "where anyone who creates a site gets one"
	case wildcardDNSHost:
		return "where names resolve without registration, to an address in the name or to the visitor's own machine"
	case dynamicDNSHost:
		return "where anyone can register one"
	case storageHost:
		return "where anyone who creates a bucket, a database or a CDN zone gets one"
	case appHost:
		return "where anyone who deploys an app gets one"
	}
	return ""
}

// strangerHosts is sorted by host. TestStrangerHosts describes its form. A host that the public
// suffix list has does not belong here. CHANGELOG.md names each new line, because a policy that
// loaded may be refused.
var strangerHosts = [...]strangerHost{
	{"*.*.azurestaticapps.net", appHost, "https://learn.microsoft.com/azure/static-web-apps/review-publish-pull-requests"},
	{"*.*.endpoints.huggingface.cloud", appHost, "https://huggingface.co/docs/inference-endpoints/index"},
	{"*.aliyuncs.com", storageHost, "https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints"},
	{"*.azure.databricksapps.com", workspaceHost, "https://docs.databricks.com/aws/en/dev-tools/databricks-apps/key-concepts"},
	{"*.azurecontainerapps.io", appHost, "https://learn.microsoft.com/en-us/azure/container-apps/connect-apps"},
	{"*.azuredatabricks.net", customerHost, "https://learn.microsoft.com/en-us/azure/databricks/workspace/workspace-details"},
	{"*.azurefd.net", storageHost, "https://learn.microsoft.com/en-US/Azure/frontdoor/endpoint"},
	{"*.azurewebsites.net", appHost, "https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/app-service/includes/regionalization-note.md"},
	{"*.bcebos.com", storageHost, "https://cloud.baidu.com/doc/BOS/s/Ck1rk80hn-en"},
	{"*.cdn.digitaloceanspaces.com", storageHost, "https://docs.digitalocean.com/products/spaces/how-to/enable-cdn/"},
	{"*.cloudapp.azure.com", appHost, "https://learn.microsoft.com/en-us/azure/security/fundamentals/azure-domains"},
	{"*.cloudshell.dev", workspaceHost, "https://cloud.google.com/shell/docs/using-web-preview"},
	{"*.cloudworkstations.dev", workspaceHost, "https://cloud.google.com/workstations/docs/access-http-servers-running-on-workstations"},
	{"*.codeengine.appdomain.cloud", appHost, "https://cloud.ibm.com/docs/codeengine?topic=codeengine-getting-started"},
	{"*.cs.amazonlightsail.com", appHost, "https://docs.aws.amazon.com/lightsail/latest/userguide/amazon-lightsail-container-services.html"},
	{"*.databricksapps.com", workspaceHost, "https://docs.databricks.com/aws/en/dev-tools/databricks-apps/key-concepts"},
	{"*.devtunnels.ms", tunnelHost, "https://learn.microsoft.com/en-us/azure/developer/dev-tunnels/security"},
	{"*.dynamics.com", customerHost, "https://learn.microsoft.com/en-us/power-platform/admin/new-datacenter-regions"},
	{"*.fcapp.run", appHost, "https://www.alibabacloud.com/help/id/functioncompute/api-fc-2023-03-30-struct-httptrigger"},
	{"*.firebasedatabase.app", storageHost, "https://firebase.google.com/docs/database/web/start"},
	{"*.free.pinggy.link", tunnelHost, "https://pinggy.io/docs/api/web_debugger_api/"},
	{"*.gcp.databricks.com", customerHost, "https://docs.databricks.com/gcp/en/workspace/workspace-details"},
	{"*.gitpod.io", workspaceHost, "https://www.gitpod.io/blog/gitpodify"},
	{"*.sharedwithexpose.com", tunnelHost, "https://beyondco.de/docs/expose/getting-started/sharing-your-first-site"},
	{"*.web.core.windows.net", storageHost, "https://learn.microsoft.com/en-us/azure/storage/blobs/storage-blob-static-website"},
	{"*.webcontainer.io", workspaceHost, "https://developer.stackblitz.com/platform/webcontainers/browser-config"},
	{"agilecrm.com", customerHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"animaapp.io", siteHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"ap.loclx.io", tunnelHost, "https://github.com/localxpose/node-localxpose"},
	{"apify.actor", workspaceHost, "https://docs.apify.com/platform/actors/running/standby"},
	{"app.github.dev", workspaceHost, "https://docs.github.com/en/codespaces/developing-in-a-codespace/forwarding-ports-in-your-codespace"},
	{"apps.dynatrace.com", customerHost, "https://docs.dynatrace.com/docs/discover-dynatrace/get-started/monitoring-environment"},
	{"ar.io", siteHost, "https://docs.ar.io/build/access/arns"},
	{"asuscomm.com", dynamicDNSHost, "https://www.asus.com/support/faq/1011725/"},
	{"atlassian.net", customerHost, "https://developer.atlassian.com/cloud/jira/platform/basic-auth-for-rest-apis/"},
	{"au.auth0.com", customerHost, "https://auth0.com/docs/get-started/auth0-overview/create-tenants"},
	{"auth0.com", customerHost, "https://auth0.com/docs/get-started/auth0-overview/create-tenants"},
	{"b-cdn.net", storageHost, "https://docs.bunny.net/cdn/quickstart"},
	{"b2clogin.com", customerHost, "https://learn.microsoft.com/en-us/azure/active-directory-b2c/b2clogin"},
	{"bamboohr.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/bamboo-hr-tutorial"},
	{"ca.auth0.com", customerHost, "https://auth0.com/docs/get-started/auth0-overview/create-tenants"},
	{"cfapps.*.hana.ondemand.com", appHost, "https://help.sap.com/docs/btp/sap-business-technology-platform/regions-and-api-endpoints-available-for-cloud-foundry-environment"},
	{"chickenkiller.com", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"ciamlogin.com", customerHost, "https://learn.microsoft.com/en-us/entra/external-id/customers/how-to-custom-url-domain"},
	{"clerk.accounts.dev", customerHost, "https://clerk.com/docs/guides/configure/auth-strategies/oauth/how-clerk-implements-oauth"},
	{"cloud.databricks.com", customerHost, "https://databricks.com/devhub/docs/start-here"},
	{"colasloth.com", wildcardDNSHost, "https://colasloth.github.io/"},
	{"com.readthedocs.build", workspaceHost, "https://docs.readthedocs.com/platform/stable/pull-requests.html"},
	{"connic.app", appHost, "https://connic.co/docs/v1/apps/domains"},
	{"cos.*.myqcloud.com", storageHost, "https://www.tencentcloud.com/document/product/436/6224"},
	{"crabdance.com", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"ddev.site", wildcardDNSHost, "https://docs.ddev.com/en/stable/users/configuration/config/"},
	{"deepnoteproject.com", workspaceHost, "https://deepnote.com/docs/incoming-connections"},
	{"demo.lightning.force.com", customerHost, "https://developer.salesforce.com/docs/atlas.en-us.264.0.api_tooling.meta/api_tooling/tooling_api_objects_mydomainlog.htm"},
	{"demo.my.salesforce.com", customerHost, "https://developer.salesforce.com/docs/atlas.en-us.264.0.api_tooling.meta/api_tooling/tooling_api_objects_mydomainlog.htm"},
	{"develop.lightning.force.com", customerHost, "https://developer.salesforce.com/docs/atlas.en-us.264.0.api_tooling.meta/api_tooling/tooling_api_objects_mydomainlog.htm"},
	{"develop.my.salesforce.com", customerHost, "https://help.salesforce.com/s/articleView?id=products.domain_name_partitioned_domains.htm&type=5"},
	{"devtunnels.ms", tunnelHost, "https://learn.microsoft.com/en-us/azure/developer/dev-tunnels/security"},
	{"dfs.core.windows.net", storageHost, "https://learn.microsoft.com/en-us/azure/storage/common/storage-account-overview"},
	{"docksal.site", wildcardDNSHost, "https://docs.docksal.io/stack/configuration-variables/"},
	{"e2b.dev", workspaceHost, "https://docs.vibekit.sh/api-reference/get-host"},
	{"egnyte.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/egnyte-tutorial"},
	{"eth.limo", siteHost, "https://eth.limo/"},
	{"eu.auth0.com", customerHost, "https://auth0.com/docs/get-started/auth0-overview/create-tenants"},
	{"eu.loclx.io", tunnelHost, "https://github.com/localxpose/node-localxpose"},
	{"firebaseio.com", storageHost, "https://firebase.google.com/docs/database/web/start"},
	{"fly.storage.tigris.dev", storageHost, "https://fly.io/docs/tigris/"},
	{"free.beeceptor.com", tunnelHost, "https://beeceptor.com/docs/create-endpoint"},
	{"freshdesk.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/freshdesk-tutorial"},
	{"freshservice.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/freshservice-tutorial"},
	{"ftp.sh", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"ghost.io", siteHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"gigalixirapp.com", appHost, "https://github.com/gigalixir/gigalixir-cli"},
	{"googleusercontent.com", workspaceHost, "https://security.googleblog.com/2012/08/content-hosting-for-modern-web.html"},
	{"gradio.live", tunnelHost, "https://github.com/gradio-app/gradio"},
	{"grafana.net", customerHost, "https://docs.ansible.com/ansible/latest/collections/grafana/grafana/cloud_stack_module.html"},
	{"helpjuice.com", customerHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"helprace.com", customerHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"helpscoutdocs.com", customerHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"ignorelist.com", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"instructure.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/canvas-lms-tutorial"},
	{"isroot.in", dynamicDNSHost, "https://github.com/ripienaar/free-for-dev"},
	{"itch.io", siteHost, "https://itch.io/docs/creators/design"},
	{"jfrog.io", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/jfrog-artifactory-tutorial"},
	{"jp.auth0.com", customerHost, "https://auth0.com/docs/get-started/auth0-overview/create-tenants"},
	{"jumpingcrab.com", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"kinde.com", customerHost, "https://docs.kinde.com/developer-tools/about/using-kinde-without-an-sdk/"},
	{"kintone.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/kintone-tutorial"},
	{"koyeb.app", appHost, "https://www.koyeb.com/docs/run-and-scale/domains"},
	{"kxcdn.com", storageHost, "https://www.keycdn.com/support/create-a-pull-zone"},
	{"letterpad.app", siteHost, "https://docs.letterpad.app/setup/url-of-your-site"},
	{"lhr.life", tunnelHost, "https://localhost.run/docs/forever-free/"},
	{"lhr.rocks", tunnelHost, "https://localhost.run/docs/custom-domains/"},
	{"lhrtunnel.link", tunnelHost, "https://github.com/ramiel/localhost-run-node"},
	{"lightning.force.com", customerHost, "https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/apex_class_System_DomainCreator.htm"},
	{"live.dynatrace.com", customerHost, "https://docs.dynatrace.com/docs/discover-dynatrace/get-started/monitoring-environment"},
	{"lndo.site", wildcardDNSHost, "https://docs.lando.dev/getting-started/first-app.html"},
	{"loca.lt", tunnelHost, "https://docs.kinde.com/integrate/webhooks/webhooks-nextjs/"},
	{"localhost.direct", wildcardDNSHost, "https://get.localhost.direct"},
	{"localhost.run", tunnelHost, "https://localhost.run/docs/"},
	{"localtest.me", wildcardDNSHost, "https://readme.localtest.me/"},
	{"localtunnel.me", tunnelHost, "https://github.com/localtunnel/localtunnel"},
	{"loclx.io", tunnelHost, "https://github.com/localxpose/node-localxpose"},
	{"lvh.me", wildcardDNSHost, "https://docs.cloudbees.com/docs/cloudbees-codeship/latest/basic-continuous-integration/using-subdomains"},
	{"maps.arcgis.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/arcgis-tutorial"},
	{"mdnplay.dev", workspaceHost, "https://github.com/mdn/yari/blob/main/docs/envvars.md"},
	{"modal.run", appHost, "https://modal.com/docs/guide/webhook-urls"},
	{"mooo.com", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"my.salesforce-sites.com", customerHost, "https://help.salesforce.com/s/articleView?id=products.domain_name_app_url_changes.htm&type=5"},
	{"my.salesforce.com", customerHost, "https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/apex_class_System_DomainCreator.htm"},
	{"my.site.com", customerHost, "https://help.salesforce.com/s/articleView?id=products.domain_name_app_url_changes.htm&type=5"},
	{"mypinata.cloud", storageHost, "https://docs.pinata.cloud/gateways/dedicated-ipfs-gateways"},
	{"neocities.org", siteHost, "https://neocities.org/"},
	{"nip.io", wildcardDNSHost, "https://nip.io/"},
	{"obs.*.myhuaweicloud.com", storageHost, "https://support.huaweicloud.com/intl/en-us/productdesc-obs/obs_03_0152.html"},
	{"obs.*.myhuaweicloud.eu", storageHost, "https://support.huaweicloud.com/eu/productdesc-obs/obs_03_0152.html"},
	{"okta-emea.com", customerHost, "https://developer.okta.com/docs/concepts/okta-organizations/"},
	{"okta.com", customerHost, "https://developer.okta.com/docs/concepts/okta-organizations/"},
	{"oktapreview.com", customerHost, "https://developer.okta.com/docs/concepts/okta-organizations/"},
	{"onelogin.com", customerHost, "https://developers.onelogin.com/openid-connect/api/provider-config"},
	{"org.readthedocs.build", workspaceHost, "https://docs.readthedocs.com/platform/stable/pull-requests.html"},
	{"osc-fr1.scalingo.io", appHost, "https://doc.scalingo.com/languages/clojure/start"},
	{"pagekite.me", tunnelHost, "https://github.com/pagekite/PyPagekite"},
	{"pagerduty.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/pagerduty-tutorial"},
	{"partykit.dev", workspaceHost, "https://blog.partykit.io/posts/cursor-party"},
	{"patch.lightning.force.com", customerHost, "https://developer.salesforce.com/docs/atlas.en-us.264.0.api_tooling.meta/api_tooling/tooling_api_objects_mydomainlog.htm"},
	{"patch.my.salesforce.com", customerHost, "https://help.salesforce.com/apex/HTViewHelpDoc?id=xcloud.domain_name_partitioned_domains_patch.htm"},
	{"pgs.sh", siteHost, "https://pico.sh/pgs"},
	{"plaintunnel.com", tunnelHost, "https://plainframework.com/docs/plain-tunnel"},
	{"plex.direct", dynamicDNSHost, "https://support.plex.tv/articles/206225077-how-to-use-secure-server-connections/"},
	{"powerappsportals.com", customerHost, "https://learn.microsoft.com/en-us/power-apps/maker/portals/admin/change-base-url"},
	{"projects.oryapis.com", customerHost, "https://www.ory.com/docs/account-experience"},
	{"prose.sh", siteHost, "https://pico.sh/prose"},
	{"proxy.beeceptor.com", tunnelHost, "https://beeceptor.com/faq"},
	{"proxy.daytona.works", workspaceHost, "https://www.daytona.io/docs/preview-and-authentication/"},
	{"proxy.runpod.net", workspaceHost, "https://docs.runpod.io/pods/configuration/expose-ports"},
	{"r2.cloudflarestorage.com", storageHost, "https://developers.cloudflare.com/r2/api/s3/api/"},
	{"readme.io", customerHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"run.pinggy-free.link", tunnelHost, "https://pinggy.io/docs/"},
	{"s3.*.backblazeb2.com", storageHost, "https://www.backblaze.com/docs/cloud-storage-call-the-s3-compatible-api"},
	{"s3.*.cloud-object-storage.appdomain.cloud", storageHost, "https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-endpoints"},
	{"s3.*.wasabisys.com", storageHost, "https://docs.wasabi.com/docs/service-urls-for-wasabis-storage-regions"},
	{"s3.wasabisys.com", storageHost, "https://docs.wasabi.com/docs/service-urls-for-wasabis-storage-regions"},
	{"sandbox.lightning.force.com", customerHost, "https://help.salesforce.com/s/articleView?id=products.domain_name_app_url_changes.htm&type=5"},
	{"sandbox.my.salesforce.com", customerHost, "https://help.salesforce.com/s/articleView?id=products.domain_name_app_url_changes.htm&type=5"},
	{"sandbox.my.site.com", customerHost, "https://help.salesforce.com/s/articleView?id=products.domain_name_app_url_changes.htm&type=5"},
	{"sandbox.vf.force.com", customerHost, "https://help.salesforce.com/s/articleView?id=products.domain_name_app_url_changes.htm&type=5"},
	{"scalingo.io", appHost, "https://doc.scalingo.com/languages/java/gradle"},
	{"scm.*.azurewebsites.net", appHost, "https://github.com/Azure/azure-functions-host/issues/10090"},
	{"scratch.lightning.force.com", customerHost, "https://developer.salesforce.com/docs/atlas.en-us.264.0.api_tooling.meta/api_tooling/tooling_api_objects_mydomainlog.htm"},
	{"scratch.my.salesforce.com", customerHost, "https://help.salesforce.com/s/articleView?id=products.domain_name_partitioned_domains.htm&type=5"},
	{"serveo.net", tunnelHost, "https://serveo.net/"},
	{"serveousercontent.com", tunnelHost, "https://serveo.net/"},
	{"service-now.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/servicenow-tutorial"},
	{"servicesubscriber.com", customerHost, "https://servicesubscriber.freshdesk.com/support/solutions/articles/158000427664-domain-management"},
	{"sevalla.app", appHost, "https://docs.sevalla.com/get-started/quickstart"},
	{"share.zrok.io", tunnelHost, "https://github.com/openziti/zrok/blob/main/website/docs/concepts/namespaces.md"},
	{"sharedwithexpose.com", tunnelHost, "https://beyondco.de/docs/expose/getting-started/sharing-your-first-site"},
	{"sharefile.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/sharefile-tutorial"},
	{"sharepoint.com", customerHost, "https://learn.microsoft.com/en-us/sharepoint/change-your-sharepoint-domain-name"},
	{"slack.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/slack-tutorial"},
	{"snowflakecomputing.com", customerHost, "https://docs.snowflake.com/en/user-guide/organizations-connect"},
	{"squarespace.com", siteHost, "https://support.squarespace.com/hc/en-us/articles/206541717-Built-in-domains"},
	{"sslip.io", wildcardDNSHost, "https://sslip.io/"},
	{"stackblitz.io", workspaceHost, "https://developer.stackblitz.com/platform/webcontainers/browser-config"},
	{"stormkit.dev", appHost, "https://github.com/stormkit-io/stormkit-io/blob/main/docs/deployments/5-system-variables.md"},
	{"strangled.net", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"substack.com", siteHost, "https://substackcourse.com/substack-subdomain/"},
	{"surge.sh", appHost, "https://github.com/sintaxi/surge"},
	{"surveysparrow.com", customerHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"tplinkdns.com", dynamicDNSHost, "https://www.tp-link.com/us/support/faq/1367/"},
	{"traefik.me", wildcardDNSHost, "https://github.com/pyrou/traefik.me"},
	{"trycloudflare.app", tunnelHost, "https://developers.cloudflare.com/sandbox/sdk/concepts/preview-urls/"},
	{"trydiscourse.com", siteHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"tunnelto.dev", tunnelHost, "https://github.com/agrinman/tunnelto"},
	{"tuns.sh", tunnelHost, "https://pico.sh/tuns"},
	{"twilightparadox.com", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"uk.auth0.com", customerHost, "https://auth0.com/docs/get-started/auth0-overview/create-tenants"},
	{"uk.to", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"us.auth0.com", customerHost, "https://auth0.com/docs/get-started/auth0-overview/create-tenants"},
	{"us.loclx.io", tunnelHost, "https://github.com/localxpose/node-localxpose"},
	{"us.to", dynamicDNSHost, "https://freedns.afraid.org/domain/registry/"},
	{"uservoice.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/uservoice-tutorial"},
	{"vf.force.com", customerHost, "https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/apex_class_System_DomainCreator.htm"},
	{"visualstudio.com", customerHost, "https://learn.microsoft.com/en-us/azure/devops/extend/develop/work-with-urls"},
	{"vo.msecnd.net", storageHost, "https://learn.microsoft.com/en-us/azure/security/fundamentals/azure-domains"},
	{"webex.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/cisco-webex-tutorial"},
	{"webrelay.io", tunnelHost, "https://github.com/ripienaar/free-for-dev"},
	{"wordpress.com", siteHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"worksites.net", siteHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"xip.io", wildcardDNSHost, "https://docs.cloudbees.com/docs/cloudbees-codeship/latest/basic-continuous-integration/using-subdomains"},
	{"youtrack.cloud", customerHost, "https://github.com/EdOverflow/can-i-take-over-xyz"},
	{"zendesk.com", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/zendesk-tutorial"},
	{"zoom.us", customerHost, "https://learn.microsoft.com/en-us/entra/identity/saas-apps/zoom-tutorial"},
}

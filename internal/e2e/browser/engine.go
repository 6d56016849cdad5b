package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// An Engine is one of the browsers in which the tests run.
type Engine string

// The engines. Each is run in the browser that Debian packages.
const (
	Chromium Engine = "Chromium"
	Firefox  Engine = "Firefox"
	WebKit   Engine = "WebKit"
)

// Engines lists all engines. Every test runs in each of them.
var Engines = []Engine{Chromium, Firefox, WebKit}

// Version returns the version of the engine's Debian package, as far as its
// makers name it: "156.0.8078.108", "153.7.0esr", "2.50.6".
func (e Engine) Version() (string, error) {
	name := map[Engine]string{Chromium: "chromium", Firefox: "firefox-esr", WebKit: "webkit2gtk-driver"}[e]
	out, err := exec.Command("dpkg-query", "--show", "--showformat=${source:Upstream-Version}", name).Output()
	if err != nil {
		return "", fmt.Errorf("the version of %s: %w", e, err)
	}
	return string(out), nil
}

// A MissingError is the error if a program that an engine needs is not installed.
type MissingError struct {
	Engine  Engine
	Program string // the missing program
	Package string // the Debian package that contains it
}

// Error returns the name of the program, and the command that installs it.
func (e *MissingError) Error() string {
	return fmt.Sprintf("the tests in %s need %s, which is not installed: run `make setup`, or `apt-get install --yes --no-install-recommends %s`",
		e.Engine, e.Program, e.Package)
}

// command returns the command that opens a URL in the engine, with a new profile in home. With
// console, the output of Firefox and WebKit can have the messages of their consoles; Chromium's
// always has them. Chromium trusts the key with the hash trusted, unless that is empty.
func (e Engine) command(home, url string, console bool, trusted string) (*exec.Cmd, error) {
	switch e {
	case Chromium:
		path, err := exec.LookPath("chromium")
		if err != nil {
			return nil, &MissingError{e, "chromium", "chromium"}
		}
		return exec.Command(path,
			"--headless=new",
			"--no-sandbox", // Chromium's sandbox does not work as root
			"--disable-gpu",
			"--disable-dev-shm-usage",
			"--disable-quic",
			"--disable-breakpad",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
			"--no-first-run",
			"--no-default-browser-check",
			"--disable-popup-blocking", // scripts can open tabs
			"--enable-logging=stderr",  // for Page.Console
			"--user-data-dir="+filepath.Join(home, "profile"),
			"--ignore-certificate-errors-spki-list="+trusted,
			url), nil
	case Firefox:
		path, err := exec.LookPath("firefox-esr")
		if err != nil {
			return nil, &MissingError{e, "firefox-esr", "firefox-esr"}
		}
		profile := filepath.Join(home, "profile")
		if err := os.Mkdir(profile, 0o700); err != nil {
			return nil, err
		}
		preferences, args := firefoxPreferences(), []string{"--headless", "--no-remote", "--profile", profile}
		if console {
			preferences += firefoxConsolePreferences
			args = append(args, "--marionette", "--remote-allow-system-access")
		}
		if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(preferences), 0o600); err != nil {
			return nil, err
		}
		return exec.Command(path, append(args, url)...), nil
	case WebKit:
		for _, pattern := range []string{
			"/usr/lib/*/webkit2gtk-4.*/MiniBrowser",
			"/usr/libexec/webkit2gtk-4.*/MiniBrowser",
		} {
			if found, _ := filepath.Glob(pattern); len(found) > 0 {
				mode := "--private"
				if console { // a private session prints no message; the profile is new in any case
					mode = "--enable-write-console-messages-to-stdout=true"
				}
				return exec.Command(found[len(found)-1], mode, "--javascript-can-open-windows-automatically=true", url), nil
			}
		}
		return nil, &MissingError{e, "WebKitGTK's MiniBrowser", "webkit2gtk-driver"}
	}
	return nil, errors.New("unknown engine: " + string(e))
}

// needsDisplay reports whether the engine needs an X server. The other engines have a
// headless mode.
func (e Engine) needsDisplay() bool { return e == WebKit }

// firefoxPreferences returns a user.js that turns off Firefox's background requests, so that
// it makes only the requests of the tests.
func firefoxPreferences() string {
	preferences := map[string]string{
		"app.normandy.enabled":                                        "false",
		"app.update.auto":                                             "false",
		"app.update.enabled":                                          "false",
		"browser.aboutwelcome.enabled":                                "false",
		"browser.newtabpage.enabled":                                  "false",
		"browser.safebrowsing.blockedURIs.enabled":                    "false",
		"browser.safebrowsing.downloads.enabled":                      "false",
		"browser.safebrowsing.malware.enabled":                        "false",
		"browser.safebrowsing.phishing.enabled":                       "false",
		"browser.search.update":                                       "false",
		"browser.sessionstore.resume_from_crash":                      "false",
		"browser.shell.checkDefaultBrowser":                           "false",
		"browser.startup.homepage_override.mstone":                    `"ignore"`,
		"browser.startup.page":                                        "0",
		"datareporting.healthreport.uploadEnabled":                    "false",
		"datareporting.policy.dataSubmissionEnabled":                  "false",
		"dom.disable_open_during_load":                                "false", // scripts can open tabs
		"dom.push.enabled":                                            "false",
		"extensions.getAddons.cache.enabled":                          "false",
		"extensions.systemAddon.update.enabled":                       "false",
		"extensions.update.enabled":                                   "false",
		"media.gmp-manager.updateEnabled":                             "false",
		"media.gmp-provider.enabled":                                  "false",
		"network.captive-portal-service.enabled":                      "false",
		"network.connectivity-service.enabled":                        "false",
		"network.dns.disablePrefetch":                                 "true",
		"network.prefetch-next":                                       "false",
		"services.settings.server":                                    `"data:,"`,
		"toolkit.startup.max_resumed_crashes":                         "-1",
		"toolkit.telemetry.enabled":                                   "false",
		"toolkit.telemetry.reportingpolicy.firstRun":                  "false",
		"toolkit.telemetry.server":                                    `"data:,"`,
		"toolkit.telemetry.unified":                                   "false",
		"trailhead.firstrun.didSeeAboutWelcome":                       "true",
		"browser.translations.enable":                                 "false",
		"datareporting.policy.dataSubmissionPolicyBypassNotification": "true",
	}
	var b strings.Builder
	for name, value := range preferences {
		fmt.Fprintf(&b, "user_pref(%q, %s);\n", name, value)
	}
	return b.String()
}

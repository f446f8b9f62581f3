package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCmd prints what was built.
type versionCmd struct{}

// Run prints.
func (versionCmd) Run() error {
	fmt.Println("streamflow", version(), runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return nil
}

// stamp is the version that a build was told which cannot ask git: that of the
// image (-ldflags -X main.stamp=1.2.3).
var stamp string

// version is the module's version, with the commit where the build knows it.
func version() string {
	if stamp != "" {
		return stamp
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v == "(devel)" {
			v = s.Value[:min(len(s.Value), 12)]
		}
	}
	return v
}

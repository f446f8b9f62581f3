package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"
)

// passwordFlags let the password of the database stand in a file, where neither
// the list of processes nor the description of a container shows it.
type passwordFlags struct {
	PasswordFile string `name:"database-password-file" help:"File that holds the password of the database, for a URL that has none." placeholder:"FILE" env:"DATABASE_PASSWORD_FILE"`
}

// into returns the database's URL with the password in it.
func (f passwordFlags) into(database string) (string, error) {
	if f.PasswordFile == "" {
		return database, nil
	}
	text, err := os.ReadFile(f.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("the password of the database, DATABASE_PASSWORD_FILE: %w", err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	u, err := url.Parse(database)
	if err != nil || u.Scheme == "" || u.User == nil {
		// The error of url.Parse repeats the URL, and that may hold a password.
		return "", fmt.Errorf("DATABASE_PASSWORD_FILE needs a DATABASE_URL of the form postgres://USER@HOST/DATABASE")
	}
	if _, there := u.User.Password(); there {
		return "", fmt.Errorf("DATABASE_URL holds a password, and DATABASE_PASSWORD_FILE another: take one of them away")
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String(), nil
}

// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Skerry authors

// A Go program: files, folders, time and goroutines, the same here and in a box.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	cwd, err := os.Getwd()
	fmt.Println(cwd == os.Args[1], err)
	lines := 0
	for input := bufio.NewScanner(os.Stdin); input.Scan(); lines++ {
	}
	fmt.Println(lines)

	fmt.Println(os.WriteFile("relative", []byte("text\n"), 0o644))
	data, err := os.ReadFile(filepath.Join(cwd, "relative"))
	fmt.Printf("%q %v\n", data, err)
	_, err = os.ReadFile("missing")
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	_, err = os.ReadFile("/dev")
	fmt.Println(err != nil)

	fmt.Println(os.MkdirAll("a/b/c", 0o755))
	for i := range 30 {
		os.WriteFile(fmt.Sprintf("a/b/f%02d", i), []byte(strings.Repeat("x", i)), 0o644)
	}
	total := int64(0)
	filepath.WalkDir("a", func(path string, entry fs.DirEntry, err error) error {
		info, _ := entry.Info()
		if info.Mode().IsRegular() {
			total += info.Size()
		}
		return err
	})
	fmt.Println(total)
	fmt.Println(os.Rename("a/b/f01", "a/moved"), os.Symlink("moved", "a/link"))
	target, err := os.Readlink("a/link")
	fmt.Println(target, err)
	when := time.Unix(1000, 0)
	fmt.Println(os.Chtimes("a/moved", when, when))
	info, err := os.Stat("a/link")
	fmt.Println(info.ModTime().Equal(when), info.Size(), err)
	fmt.Println(os.Truncate("a/moved", 0))
	fmt.Println(os.RemoveAll("a"))
	_, err = os.Stat("a")
	fmt.Println(errors.Is(err, fs.ErrNotExist))

	start, done := time.Now(), make(chan int)
	go func() { time.Sleep(20 * time.Millisecond); done <- 7 }()
	fmt.Println(<-done, time.Since(start) >= 20*time.Millisecond)
	os.Exit(5)
}

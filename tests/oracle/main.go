package main

import _ "golang.org/x/mod/zip"

func main() {}

// Command seeds writes the seed corpora of the fuzz targets: seeds DIRECTORY
// makes NAME_seed_corpus.zip for each, as OSS-Fuzz wants it.
package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"why520/fuzz"
	"why520/validator"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: seeds DIRECTORY")
	}
	for name, seeds := range corpora() {
		if err := write(filepath.Join(os.Args[1], name+"_seed_corpus.zip"), seeds); err != nil {
			log.Fatal(err)
		}
	}
}

// corpora gives the seeds of each target.
func corpora() map[string][][]byte {
	all := map[string][][]byte{"FuzzHead": fuzz.Seeds(), "FuzzReader": fuzz.Seeds()}
	for _, v := range fuzz.Vectors() {
		if len(v.Bytes) > 4096 {
			continue
		}
		head, body, _ := bytes.Cut(v.Bytes, []byte("\r\n\r\n"))
		all["FuzzBody"] = append(all["FuzzBody"], body)
		if _, fields, found := bytes.Cut(head, []byte("\r\n")); found {
			all["FuzzFraming"] = append(all["FuzzFraming"], fields)
		}
		evidence, err := json.Marshal(validator.Read(v.Bytes, validator.RequestFacts{}, validator.ReadOptions{End: v.End}))
		if err != nil {
			log.Fatal(err)
		}
		all["FuzzJudge"] = append(all["FuzzJudge"], evidence, v.Bytes)
	}
	return all
}

func write(name string, seeds [][]byte) error {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, seed := range seeds {
		f, err := w.Create(fmt.Sprintf("%04d", i))
		if err != nil {
			return err
		}
		if _, err := f.Write(seed); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// go_check verifies, with Go's sumdb note and tlog packages, what our log writes: checkpoints, proofs and tiles.
//
//	go_check verify FOLDER   FOLDER/case.json and the tiles below FOLDER; prints what it checked
//	go_check sign            prints a verifier key, and a note signed by it
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type testCase struct {
	Vkey        string
	Checkpoints map[string]string // tree size to signed note
	Inclusion   []struct {
		Index, Size int64
		Entry       []byte
		Hashes      []tlog.Hash
	}
	Consistency []struct {
		From, To int64
		Hashes   []tlog.Hash
	}
	TiledSize int64
}

// tree is what a checkpoint's text says; sumdb's own parser wants another first line.
func tree(text string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("checkpoint has %d lines", len(lines))
	}
	var size int64
	if _, err := fmt.Sscanf(lines[1], "%d", &size); err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

// tiles reads `FOLDER/tile/L/N[.p/W]`: the path of sumdb without its tile height.
type tiles struct{ folder string }

func (t tiles) Height() int { return 8 }
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads the bundles below FOLDER/tile/entries, which sumdb does not know.
func entries(folder string, size int64) ([][]byte, error) {
	var out [][]byte
	for index := int64(0); index*256 < size; index++ {
		path := fmt.Sprintf("tile/entries/%03d", index)
		if rest := size - index*256; rest < 256 {
			path += fmt.Sprintf(".p/%d", rest)
		}
		data, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return nil, err
		}
		for len(data) >= 2 {
			length := 2 + int(data[0])<<8 + int(data[1])
			if length > len(data) {
				return nil, fmt.Errorf("%s: cut entry", path)
			}
			out = append(out, data[2:length])
			data = data[length:]
		}
	}
	return out, nil
}

// verifyTiled builds Go's own tree from the entry bundles, and compares it with the checkpoint and with our hash tiles.
func verifyTiled(folder string, signed tlog.Tree) error {
	all, err := entries(folder, signed.N)
	if err != nil {
		return err
	}
	if int64(len(all)) != signed.N {
		return fmt.Errorf("%d entries in bundles, want %d", len(all), signed.N)
	}
	var stored []tlog.Hash
	own := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, index := range indexes {
			out = append(out, stored[index])
		}
		return out, nil
	})
	for index, entry := range all {
		hashes, err := tlog.StoredHashes(int64(index), entry, own)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(signed.N, own)
	if err != nil || root != signed.Hash {
		return fmt.Errorf("entries have root %v, the checkpoint %v (%v)", root, signed.Hash, err)
	}
	reader := tlog.TileHashReader(signed, tiles{folder})
	for index := range stored {
		read, err := reader.ReadHashes([]int64{int64(index)})
		if err != nil {
			return fmt.Errorf("stored hash %d: %v", index, err)
		}
		if read[0] != stored[index] {
			return fmt.Errorf("stored hash %d: the tile has another", index)
		}
	}
	return nil
}

func verify(folder string) error {
	data, err := os.ReadFile(filepath.Join(folder, "case.json"))
	if err != nil {
		return err
	}
	var c testCase
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	verifier, err := note.NewVerifier(c.Vkey)
	if err != nil {
		return err
	}
	trees := make(map[int64]tlog.Tree)
	for size, signed := range c.Checkpoints {
		opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
		if err != nil {
			return fmt.Errorf("checkpoint %s: %v", size, err)
		}
		parsed, err := tree(opened.Text)
		if err != nil || fmt.Sprint(parsed.N) != size {
			return fmt.Errorf("checkpoint %s: %v", size, err)
		}
		trees[parsed.N] = parsed
	}
	for _, p := range c.Inclusion {
		if err := tlog.CheckRecord(p.Hashes, p.Size, trees[p.Size].Hash, p.Index, tlog.RecordHash(p.Entry)); err != nil {
			return fmt.Errorf("inclusion of %d in %d: %v", p.Index, p.Size, err)
		}
	}
	for _, p := range c.Consistency {
		if err := tlog.CheckTree(p.Hashes, p.To, trees[p.To].Hash, p.From, trees[p.From].Hash); err != nil {
			return fmt.Errorf("consistency of %d with %d: %v", p.From, p.To, err)
		}
	}
	if err := verifyTiled(folder, trees[c.TiledSize]); err != nil {
		return err
	}
	fmt.Printf("checkpoints %d, inclusion %d, consistency %d, tiled entries %d\n",
		len(c.Checkpoints), len(c.Inclusion), len(c.Consistency), c.TiledSize)
	return nil
}

func sign() error {
	secret, vkey, err := note.GenerateKey(nil, "witness.example/go")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: "clinic.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"}, signer)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s", vkey, signed)
	return nil
}

func main() {
	log.SetFlags(0)
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "verify":
		err = verify(os.Args[2])
	case len(os.Args) == 2 && os.Args[1] == "sign":
		err = sign()
	default:
		log.Fatal("usage: go_check verify FOLDER | go_check sign")
	}
	if err != nil {
		log.Fatal(err)
	}
}

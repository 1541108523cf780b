#!/usr/bin/env python3
"""Checks that what the documents name exists: links, anchors, paths, and items of the workspace's crates.

A path is text in backticks or in a command that begins with a top-level folder, or a bare file name with a known ending.
`<name>` and `*` stand for anything; then something must match. A text with `NNNN` is a form, not a path.
Exit code 1 and a line for each problem. A document that begins with `<!-- paths: not checked` and a reason has only its links checked.
"""
import fnmatch
import os
import re
import subprocess
import sys
from pathlib import PurePosixPath as Path

ENDINGS = ("css", "html", "json", "md", "mjs", "py", "rs", "sh", "sql", "svg", "toml", "txt", "yaml")
# Made by a build or a run, or written by readers for themselves.
NOT_TRACKED = ("target", ".pm", "ui/dist", "node_modules", "tokens.json")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
ITEM = re.compile(r"\b(pm_[a-z_]+)((?:::[A-Za-z_][A-Za-z0-9_]*)+)")


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading.strip()).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text):
    return {slug(line.lstrip("#")) for line in without_code_blocks(text).splitlines() if line.startswith("#")}


def without_code_blocks(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def indented(text):
    return [line for line in text.splitlines() if line.startswith("    ")]


class Tree:
    """The tracked files with the folders that they are in, and a way to read them."""

    def __init__(self, files, read):
        self.files, self.read = set(files), read
        self.all = self.files | {str(p) for f in files for p in Path(f).parents}
        self.names = {Path(f).name for f in files}
        self.top = {f.split("/")[0] for f in files if "/" in f}

    def has(self, path):
        path = path.rstrip("/")
        pattern = re.sub(r"<[^>]*>", "*", path)
        return path in self.all or ("*" in pattern and any(fnmatch.fnmatch(f, pattern) for f in self.all))


def normal(base, target):
    parts = []
    for part in (*Path(base).parts, *Path(target).parts):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def link_problem(tree, document, target):
    if re.match(r"[a-z]+:", target):
        return None
    path, _, anchor = target.partition("#")
    file = normal(Path(document).parent, path) if path else document
    if file not in tree.all:
        return f"links to {target}, which does not exist"
    if anchor and anchor not in anchors(tree.read(file)):
        return f"links to {target}, but {file} has no such heading"
    return None


def path_problem(tree, document, text):
    text = re.sub(r"^\./(?!pm\b)|[:,.;)]+$", "", text)
    if not re.fullmatch(r"[\w.<>*@-]+(/[\w.<>*@-]+)*/?", text) or text.startswith(NOT_TRACKED) or "NNNN" in text:
        return None
    ending = text.rsplit(".", 1)[-1]
    if "/" not in text:
        named = "." in text[1:] and ending in ENDINGS
        pattern = re.sub(r"<[^>]*>", "*", text)
        return f"names {text}, which does not exist" if named and not fnmatch.filter(tree.names, pattern) else None
    if text.split("/")[0] not in tree.top and ending not in ENDINGS:
        return None
    here = normal(Path(document).parent, text)
    inside = any(f.endswith("/" + text) for f in tree.files)
    if tree.has(text) or (here and tree.has(here)) or inside:
        return None
    return f"names {text}, which does not exist"


def item_problem(tree, crate, items):
    """`pm_domain::limits`: a module or an item of this name is in the crate's sources."""
    name = crate.replace("_", "-")
    for manifest in (f for f in tree.files if f.endswith("Cargo.toml")):
        if re.search(rf'^name = "{name}"$', tree.read(manifest), re.M):
            folder = str(Path(manifest).parent) + "/src/"
            sources = [f for f in tree.files if f.startswith(folder) and f.endswith(".rs")]
            for item in items:
                module = any(Path(f).stem == item or f"/{item}/" in f for f in sources)
                declared = re.compile(rf"\b(fn|struct|enum|trait|type|mod|const|static|use .*)\s+{item}\b|^\s*{item}\b", re.M)
                if not module and not any(declared.search(tree.read(f)) for f in sources):
                    return f"names {crate}::{'::'.join(items)}, but {name} has no {item}"
            return None
    return f"names {crate}, which is no crate of this workspace"


def problems(tree, document):
    text = tree.read(document)
    prose = without_code_blocks(text)
    for target in LINK.findall(prose):
        yield link_problem(tree, document, target)
    if text.startswith("<!-- paths: not checked, "):
        return
    # what is a link is checked as a link
    prose = LINK.sub(" ", prose)
    for code in CODE.findall(prose):
        for crate, items in ITEM.findall(code):
            yield item_problem(tree, crate, items.strip(":").split("::"))
        for word in code.split():
            yield path_problem(tree, document, word)
    for line in indented(prose):
        for word in line.split():
            if word.strip("./").split("/")[0] in tree.top and "/" in word.strip("./"):
                yield path_problem(tree, document, word)


def report(tree):
    documents = sorted(f for f in tree.files if f.endswith(".md"))
    found = [f"{d}: {p}" for d in documents for p in dict.fromkeys(problems(tree, d)) if p]
    return documents, found


def check_itself():
    """Planted mistakes must be found, and good documents must pass."""
    files = {
        "docs/a.md": "# One thing\n[b](b.md#two-words) [c](../lib/x.rs) `lib/x.rs` `x.rs` `pm_x::y` `lib/<name>.rs` `docs/`\n\n    lib/run.sh\n",
        "docs/b.md": "## Two `words`\n[out](https://example.org/none.md) `target/none.rs` `application/json` `a/b`\n",
        "lib/Cargo.toml": 'name = "pm-x"\n', "lib/x.rs": "", "lib/run.sh": "", "lib/src/lib.rs": "pub fn y() {}\n",
    }
    assert report(Tree(files, files.get))[1] == [], report(Tree(files, files.get))[1]
    for planted in ("[b](none.md)", "[b](b.md#none)", "`lib/none.rs`", "`none.rs`", "`pm_x::none`", "`pm_none::y`",
                    "`lib/none<name>.rs`", "\n    lib/none.sh\n"):
        bad = {**files, "docs/a.md": files["docs/a.md"] + planted}
        assert len(report(Tree(bad, bad.get))[1]) == 1, planted
        bad["docs/a.md"] = "<!-- paths: not checked, old names -->\n" + bad["docs/a.md"]
        assert len(report(Tree(bad, bad.get))[1]) == ("](" in planted), planted


def main():
    check_itself()
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True)
    cache = {}

    def read(file):
        if file not in cache:
            with open(file, encoding="utf-8", errors="replace") as opened:
                cache[file] = opened.read()
        return cache[file]

    files = [f for f in listed.stdout.decode().split("\0") if f and os.path.exists(f)]
    documents, found = report(Tree(files, read))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(documents)} documents, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Writes the software bill of materials: every crate that the components and programs are built from.

The form is CycloneDX 1.6 (JSON). What is listed follows from Cargo.lock: crates that only tests or tools use are left out.
"""

import json
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def shipped() -> set[str]:
    """The workspace's crates that are delivered: components, page, programs."""
    manifest = tomllib.loads((ROOT / "spin.toml").read_text())
    return set(manifest["component"]) | {"pm-host", "pm-stack", "pm-bridge", "pm-migrations", "pm-ui"}


def metadata() -> dict:
    command = ["cargo", "metadata", "--locked", "--offline", "--format-version", "1"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def purl(package: dict) -> str:
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package: dict, checksums: dict, own: set[str]) -> dict:
    made = {
        "type": "application" if package["id"] in own else "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    }
    if package.get("license"):
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if checksum := checksums.get((package["name"], package["version"])):
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package.get("repository"):
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def bill(data: dict) -> dict:
    packages = {package["id"]: package for package in data["packages"]}
    needs = {
        node["id"]: [d["pkg"] for d in node["deps"] if any(k["kind"] != "dev" for k in d["dep_kinds"])]
        for node in data["resolve"]["nodes"]
    }
    members = set(data["workspace_members"])
    names = shipped()
    begin = [id for id in members if packages[id]["name"] in names]
    missing = names - {packages[id]["name"] for id in begin}
    if missing:
        sys.exit(f"sbom: no crate is named {', '.join(sorted(missing))}")
    found, waiting = set(begin), list(begin)
    while waiting:
        for need in needs[waiting.pop()]:
            if need not in found:
                found.add(need)
                waiting.append(need)
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
    version = tomllib.loads((ROOT / "spin.toml").read_text())["application"]["version"]
    ordered = sorted(found, key=lambda id: (packages[id]["name"], packages[id]["version"]))
    body = {
        "components": [component(packages[id], checksums, members) for id in ordered],
        "dependencies": [
            {"ref": purl(packages[id]), "dependsOn": sorted({purl(packages[n]) for n in needs[id]})}
            for id in ordered
        ],
    }
    # the same for the same content
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "predictive-maintenance", "version": version}
        },
        **body,
    }


def check(bom: dict) -> None:
    """Refuses a bill that contradicts itself."""
    refs = [c["bom-ref"] for c in bom["components"]]
    if len(refs) != len(set(refs)):
        sys.exit("sbom: a crate is listed twice")
    unknown = {d for entry in bom["dependencies"] for d in entry["dependsOn"]} - set(refs)
    if unknown:
        sys.exit(f"sbom: not listed: {', '.join(sorted(unknown))}")
    foreign = [c for c in bom["components"] if c["type"] == "library" and "hashes" not in c]
    if foreign:
        sys.exit(f"sbom: without checksum: {', '.join(c['name'] for c in foreign)}")


def main() -> None:
    bom = bill(metadata())
    check(bom)
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bom, indent=1) + "\n")
    print(f"Wrote {target}: {len(bom['components'])} crates.")


main()

#!/bin/sh
# Builds the helper jar of the Spark driver against the installed pyspark and the jars of s3a.
# Usage: deploy/spark/helper/build.sh PYTHON OUT.jar JARS_DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
jars=$("$1" -c 'import importlib.util; print(importlib.util.find_spec("pyspark").submodule_search_locations[0] + "/jars")')
out=$2
store_jars=$3
mkdir -p "$(dirname "$out")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find "$here/src" -name '*.java' >"$work/sources"
mkdir "$work/classes"
javac -nowarn -Xlint:none --release 17 -encoding UTF-8 -cp "$jars/*:$store_jars/*" -d "$work/classes" "@$work/sources"
cp -r "$here/resources/." "$work/classes/"
jar --create --file "$work/helper.jar" --date 2026-01-01T00:00:00Z -C "$work/classes" .
mv "$work/helper.jar" "$out"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# client.sh PACKAGES_LOCK OUT
#
# Leaves the jars of AWS's Java runtime client in the folder OUT, as Maven fetches them, and beside them the
# native part for this machine that the first of them holds. Each jar must have the SHA-256 of PACKAGES_LOCK.
set -eu -o pipefail
lock=$1 out=$2
umask 022

rm -rf "$out.part"
mkdir -p "$out.part"
while read -r coordinates sum; do
    case $coordinates in '' | '#'*) continue ;; esac
    IFS=: read -r _ artifact version <<<"$coordinates"
    mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        -Dartifact="$coordinates" -DoutputDirectory="$out.part" </dev/null
    echo "$sum  $out.part/$artifact-$version.jar" | sha256sum -c --quiet -
done <"$lock"

case $(uname -m) in
x86_64) arch=x86_64 ;;
aarch64) arch=aarch_64 ;;
*) echo "AWS's Java runtime client has no native part for $(uname -m)" >&2; exit 1 ;;
esac
python3 - "$out.part" "jni/libaws-lambda-jni.linux-$arch.so" <<'PYTHON'
import glob, sys, zipfile
folder, member = sys.argv[1:]
jar, = glob.glob(folder + "/aws-lambda-java-runtime-interface-client-*.jar")
with zipfile.ZipFile(jar) as z, open(folder + "/libaws-lambda-jni.so", "wb") as so:
    so.write(z.read(member))
PYTHON
rm -rf "$out"
mv "$out.part" "$out"

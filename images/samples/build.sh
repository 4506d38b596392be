#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh go|rust|cpp|java     builds a sample function and prints the path of what to upload
# build.sh web-adapter          builds aws-lambda-web-adapter as it is published: an extension
#
# go, rust   a static program `bootstrap` for provided.al2023      (build/samples/go/bootstrap)
# cpp        hello.zip, made by the packager of aws-lambda-cpp     (build/samples/cpp/hello.zip)
# java       a jar, which is an archive as it is                   (build/samples/java/hello.jar)
# web-adapter  a static program                                    (build/samples/web-adapter/bin/lambda-adapter)
#
# Done again only when a source or the compiler changed. Needs go, cargo, g++ with cmake, libcurl and zip, or
# javac with mvn; the clients come from each language's own registry, pinned with checksums. Exit status 3
# with one line: this machine's tools cannot build it.
set -eu -o pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)
images=$(dirname "$here")
top=$(dirname "$images")
build=${BUILD:-$top/build}
case $build in /*) ;; *) build=$top/$build ;; esac

need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null ||
            { echo "no $program on this machine: scripts/setup.sh test installs it" >&2; exit 3; }
    done
}

build_go() {
    cd "$here/go"
    CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -tags lambda.norpc -trimpath -buildvcs=false \
        -ldflags "-s -w" -o "$out/bootstrap" .
}

# static: the sandbox's C library need not be that of the machine that compiles.
build_rust() {
    local target
    target=$(rustc -vV | sed -n 's/^host: //p')
    CARGO_TARGET_DIR=$out/target RUSTFLAGS="-C target-feature=+crt-static" \
        cargo build --release --locked --target "$target" --manifest-path "$here/rust/Cargo.toml"
    cp "$out/target/$target/release/bootstrap" "$out/bootstrap"
}

# Not optimised: that takes a quarter of the time. --locked: with the checksums that come with the crate.
build_web_adapter() {
    CARGO_TARGET_DIR=$out/target CARGO_PROFILE_DEV_DEBUG=false RUSTFLAGS="-C target-feature=+crt-static -C strip=symbols" \
        cargo install lambda_web_adapter --version 0.9.1 --locked --debug --root "$out" \
        --target "$(rustc -vV | sed -n 's/^host: //p')"
    rm -rf "$out/target"
}

# AWS's C++ client is on no registry by itself. AWS's Node.js client has its sources inside; nodejs/packages.lock
# pins that archive.
build_cpp() {
    local spec sum file version
    read -r spec sum < <(grep '^aws-lambda-ric@' "$images/nodejs/packages.lock")
    cd "$out"
    file=$(npm pack --silent "$spec" | tail -n 1)
    echo "$sum  $file" | sha256sum -c --quiet -
    tar xf "$file" package/deps
    version=$(sed -n 's/^AWS_LAMBDA_CPP_RELEASE=//p' package/deps/versions)
    tar xf "package/deps/aws-lambda-cpp-$version.tar.gz"
    cmake -S "aws-lambda-cpp-$version" -B client -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$out/installed" \
        -DCMAKE_INSTALL_LIBDIR=lib
    cmake --build client --target install
    cmake -S "$here/cpp" -B hello -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$out/installed"
    cmake --build hello --target aws-lambda-package-hello
    mv hello/hello.zip .
}

build_java() {
    local hash client
    hash=$(cat "$images/java/packages.lock" "$images/java/client.sh" | sha256sum | cut -c1-12)
    client=$build/images/client-java-$hash
    mkdir -p "$build/images"
    [ -d "$client" ] || "$images/java/client.sh" "$images/java/packages.lock" "$client"
    javac --release 17 -d "$out/classes" -cp "$(printf '%s:' "$client"/aws-lambda-java-core-*.jar)" "$here/java/hello/"*.java
    jar cf "$out/hello.jar" -C "$out/classes" .
}

case ${1:-} in
go) need go; tool=$(go version) result=bootstrap ;;
rust) need cargo rustc gcc; tool=$(rustc -vV) result=bootstrap ;;
cpp) need g++ cmake make npm zip curl-config; tool=$(g++ --version | head -n 1) result=hello.zip ;;
web-adapter) need cargo rustc gcc; tool=$(rustc -vV) result=bin/lambda-adapter ;;
java) need javac jar mvn python3; tool=$(javac -version 2>&1) result=hello.jar ;;
*) sed -n '4,16s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
out=$build/samples/$1
hash=$({ echo "$tool"; cat "$0"; find "$images/java/packages.lock" "$images/nodejs/packages.lock" $([ ! -d "$here/$1" ] || echo "$here/$1") -type f |
    LC_ALL=C sort | xargs cat; } | sha256sum)
mkdir -p "$out"
exec 8>"$build/samples/$1.lock"
flock 8
if [ "$(cat "$out/built" 2>/dev/null)" != "$hash" ]; then
    rm -rf "${out:?}/"*
    set +e
    (set -e; "build_${1//-/_}") >"$out.log" 2>&1
    status=$?
    set -e
    if [ $status != 0 ]; then
        tail -n 15 "$out.log" >&2
        echo "building the $1 sample failed; the whole story is in $out.log" >&2
        exit 1
    fi
    echo "$hash" >"$out/built"
fi
echo "$out/$result"

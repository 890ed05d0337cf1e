#!/usr/bin/env bash
# Builds the static program for another kind of machine: packaging/cross.sh TRIPLE
#
# Ends up at target/TRIPLE/release/healthchecker. The C compiler and the linker are Zig's, from
# PyPI: those of Debian's cross compilers bring start-up code for ARMv7, which a Pi Zero cannot
# run. The standard library is compiled for size along with everything else where its source is to
# be had, and is the compiled one of rustup where not.
set -euo pipefail
cd "$(dirname "$0")/.."

triple=${1:?which machine? For example: packaging/cross.sh arm-unknown-linux-musleabihf}
python=${PYTHON:-python3}
tools=target/cross-tools
requirements=packaging/cross-requirements.txt

# Zig and its companion for cargo, in a folder of their own.
install_tools() {
    if ! cmp --silent "$requirements" "$tools/requirements.txt"; then
        "$python" -m venv --clear "$tools"
        "$tools/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
        cp "$requirements" "$tools/requirements.txt"
    fi
    export PATH="$PWD/$tools/bin:$PATH"
}

sysroot() { "$1" --print sysroot; }
has_std_source() { [[ -f "$(sysroot "$1")/lib/rustlib/src/rust/library/Cargo.lock" ]]; }
has_std() { [[ -d "$(sysroot "$1")/lib/rustlib/$triple/lib" ]]; }
has_rustup() { command -v rustup >/dev/null; }

# Whether this compiler's 32-bit programs can know the time after January 2038: from Rust 1.96 on.
outlives_2038() { (($("$1" --version | cut -d . -f 2) >= 96)); }

# Sets RUSTC, CARGO and build_std. Debian's compiler (packages rustc-web, cargo-web and
# rust-web-src) is taken where it is there and the usual one is too old or without source.
choose_toolchain() {
    local rustc=${RUSTC:-rustc} cargo=${CARGO:-cargo}
    build_std=true
    if has_std_source "$rustc" && outlives_2038 "$rustc"; then
        :
    elif has_std_source /usr/bin/rustc 2>/dev/null; then
        rustc=/usr/bin/rustc cargo=/usr/bin/cargo
    elif has_std_source "$rustc" || { has_rustup && rustup component add rust-src; }; then
        :
    elif has_std "$rustc" || { has_rustup && rustup target add "$triple"; }; then
        build_std=false
    else
        echo "no standard library for $triple: \`rustup component add rust-src\`," \
            "or Debian's packages rustc-web, cargo-web and rust-web-src" >&2
        return 1
    fi
    export RUSTC=$rustc CARGO=$cargo
}

# Mends the source of the standard library, in a copy that is compiled in its place: `mend_std PATCH FILE...`, with the
# files that the patch changes. Fails where the patch does not fit.
mend_std() {
    local mended=$PWD/target/std/$triple patch=$PWD/$1 files=("${@:2}")
    # No questions and no guesses when it does not fit.
    copy_std "$mended" &&
        patch --quiet --force --fuzz=0 --directory="$mended" --strip=1 --dry-run --input="$patch" >/dev/null &&
        patch --quiet --force --fuzz=0 --directory="$mended" --strip=1 --input="$patch" || return 1
    # As old as the patch: a second build has nothing to do, one with another patch has.
    (cd "$mended" && touch --reference="$patch" "${files[@]}")
}

# Once: later patches come on top of the first.
copy_std() {
    local mended=$1 source crate
    [[ ${MENDED_STD:-} == "$mended" ]] && return
    source=$(sysroot "$RUSTC")/lib/rustlib/src/rust/library
    rm -rf "$mended" && mkdir -p "$mended" && ln -s "$source"/* "$mended" || return 1
    for crate in alloc std; do
        rm "$mended/$crate" && cp -r --preserve=timestamps "$source/$crate" "$mended/$crate" || return 1
    done
    export RUSTC_WRAPPER=$PWD/packaging/rustc-mended MENDED_STD=$mended
}

# Times of 64 bits for 32-bit programs, which musl has had since its version 1.2. (The libc crate
# takes older ones into account still; without this such a program panics in 2038.) The standard
# library's own source has to be mended for it: packaging/std-futex.patch says why.
widen_time() {
    mend_std packaging/std-futex.patch std/src/sys/pal/unix/futex.rs || return 1
    export RUST_LIBC_UNSTABLE_MUSL_V1_2_3=1
}

outlive_2038() {
    [[ $triple == arm* ]] || return 0
    if ! { "$build_std" && outlives_2038 "$RUSTC" && widen_time; }; then
        echo "warning: made with $("$RUSTC" --version), a 32-bit program ends in January 2038." \
            "Rust 1.96 with rust-src, and patch, do better; if that is what you have," \
            "packaging/std-futex.patch does not fit it" >&2
    fi
}

# No way to unwind where memory runs out, which ends the program: packaging/alloc-nounwind.patch.
end_without_memory() {
    [[ $triple == arm* ]] && "$build_std" || return 0
    mend_std packaging/alloc-nounwind.patch alloc/src/alloc.rs alloc/src/raw_vec/mod.rs ||
        echo "warning: packaging/alloc-nounwind.patch does not fit $("$RUSTC" --version): a larger program" >&2
}

# No path of this machine ends up in the program: the same bytes come out wherever it is built.
forget_paths() {
    printf '%s\x1f' \
        "--remap-path-prefix=$PWD=." \
        "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=crates" \
        "--remap-path-prefix=$(sysroot "$RUSTC")/lib/rustlib/src/rust=rust"
}

# From LLVM 20 on.
merges_functions() { (($("$RUSTC" --version --verbose | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p') >= 20)); }

# Options that make the program smaller; docs/size.md says by how much.
save_space() {
    if "$build_std"; then
        # Places in the source, which panics name, and what is in values that only panics and --debug
        # show: the message and the kind of value stay. Where packaging/rustc-mended sorts them out, the
        # libraries whose values nobody is shown lose the kind, too.
        printf '%s\x1f' -Zlocation-detail=none "-Zfmt-debug=$([[ -v MENDED_STD ]] && echo none || echo shallow)"
        # A panic is contained, but for one while something is taken down, which ends the program
        # (as always where that happens because of another): no code to go on after that.
        if "$RUSTC" -Zhelp | grep panic-in-drop >/dev/null; then
            printf '%s\x1f' -Zpanic-in-drop=abort
        fi
    fi
    if [[ $triple == arm* ]]; then
        # These programs lie at a fixed address anyway; so the code need not reckon with others.
        printf '%s\x1f' -Crelocation-model=static
        # Numbers that lie across words are read at once: Linux lets ARMv6 do that. (Who makes it is warned that the
        # name of this may change.)
        printf '%s\x1f' -Ctarget-feature=-strict-align
        # Functions that differ in constants alone become one, which is given them; the linker makes one of those that
        # are the same. So each has a table of how to unwind it, also one that nothing unwinds through: the one that
        # it is the same as may be another.
        if merges_functions; then
            printf '%s\x1f' -Cllvm-args=-enable-global-merge-func
        fi
        printf '%s\x1f' -Clinker=packaging/linker
    fi
}

build() {
    local options=(--release --locked --bin healthchecker --target "$triple")
    if "$build_std"; then
        # Stable compilers know how to build std, too; they want to be asked for it like this.
        export RUSTC_BOOTSTRAP=1
        local features=optimize_for_size
        # To copy memory: Zig's way stores byte by byte on ARMv6 (musl's own, which it leaves out, does not).
        [[ $triple == arm* ]] && features+=,compiler-builtins-mem
        options+=(-Zbuild-std=std,panic_unwind "-Zbuild-std-features=$features")
    fi
    # The start-up files and libc of Zig, not those of rustup.
    CARGO_ENCODED_RUSTFLAGS="$(forget_paths)$(save_space)-Clink-self-contained=no" \
        "$CARGO" zigbuild "${options[@]}"
}

install_tools
choose_toolchain
outlive_2038
end_without_memory
build

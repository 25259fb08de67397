# The packages of nixpkgs that the flake uses, and its builders, each as simple as it can be.
{ lib, system }:
let
  # Runs a shell script that has to make $out, with the machine's own programs.
  script = name: attributes: text: derivation (attributes // {
    inherit name system;
    builder = "/bin/sh";
    args = [ "-euc" text ];
    PATH = "${lib.makeBinPath (attributes.nativeBuildInputs or [ ])}:/usr/local/bin:/usr/bin:/bin";
  });

  # A package whose programs are the next ones of that name on PATH: those of the machine.
  machines = name: programs: script name { } ''
    mkdir -p "$out/bin"
    for program in ${lib.escapeShellArgs programs}; do
      cat > "$out/bin/$program" <<END
    #!/bin/sh
    IFS=:
    for folder in \$PATH; do
      [ "\$folder" = "$out/bin" ] || [ ! -x "\$folder/$program" ] || exec "\$folder/$program" "\$@"
    done
    echo "$program: this machine has none" >&2
    exit 127
    END
      sed -i 's/^    //' "$out/bin/$program"
      chmod +x "$out/bin/$program"
    done
  '';

  system' = builtins.match "(.*)-(.*)" system;
in
rec {
  inherit lib;

  stdenv = {
    cc = machines "cc" [ "cc" ] // { cc.lib = script "cc-lib" { } ''mkdir -p "$out/lib"''; };
    hostPlatform = {
      isLinux = builtins.elemAt system' 1 == "linux";
      isDarwin = builtins.elemAt system' 1 == "darwin";
    };
    mkDerivation = { pname, version, installPhase, ... }@attributes:
      script "${pname}-${version}" (removeAttrs attributes [ "meta" ]) ''
        runHook() { :; }
        ${installPhase}
      '';
  };

  # The name and the hash decide the path, so it is that of nixpkgs' own. The file has to be in the
  # store already: nobody downloads here.
  fetchPypi = { pname, version, format, dist, python, abi, platform, sha256 }:
    assert format == "wheel";
    derivation {
      name = "${pname}-${version}-${python}-${abi}-${platform}.whl";
      inherit system;
      builder = "/bin/sh";
      args = [ "-c" "echo 'this package is not in the store: nix-store --add-fixed sha256 FILE' >&2; exit 1" ];
      outputHashMode = "flat";
      outputHashAlgo = "sha256";
      outputHash = sha256;
    };

  runCommand = name: attributes: text: script name (removeAttrs attributes [ "meta" ]) text;
  writeText = name: text: script name { inherit text; } ''printf %s "$text" > "$out"'';
  writeShellScriptBin = name: text: script name { inherit text; } ''
    mkdir -p "$out/bin"
    { echo '#!/bin/sh'; printf %s "$text"; } > "$out/bin/${name}"
    chmod +x "$out/bin/${name}"
  '';
  mkShell = { name, packages, ... }@attributes:
    script name (removeAttrs attributes [ "packages" ] // { nativeBuildInputs = packages; }) ''export > "$out"'';

  # What these build takes nixpkgs itself; that their arguments evaluate is all that is checked.
  rustPlatform = {
    buildRustPackage = { pname, version, src, cargoLock, buildPhase, installPhase, doCheck }:
      script "${pname}-${version}" { lockFile = cargoLock.lockFile; inherit buildPhase installPhase src; }
        "echo 'a stand-in builds no Rust' >&2; exit 1";
    importCargoLock = { lockFile }: script "cargo-vendor-dir" { inherit lockFile; } ''mkdir "$out"'';
  };
  dockerTools.buildLayeredImage = { name, tag, config }:
    script "${baseNameOf name}.tar.gz" { inherit tag; config = builtins.toJSON config; }
      "echo 'a stand-in builds no images' >&2; exit 1";

  autoPatchelfHook = script "auto-patchelf-hook" { } ''mkdir "$out"'';
  cargo = machines "cargo" [ "cargo" ];
  chromium = machines "chromium" [ "chromium" ];
  clippy = machines "clippy" [ "cargo-clippy" "clippy-driver" ];
  docker-client = machines "docker-client" [ "docker" ];
  docker-compose = machines "docker-compose" [ "docker-compose" ];
  git = machines "git" [ "git" ];
  nixpkgs-fmt = machines "nixpkgs-fmt" [ "nixpkgs-fmt" ];
  ollama = machines "ollama" [ "ollama" ];
  python3 = machines "python3" [ "python3" ];
  rustc = machines "rustc" [ "rustc" "rustdoc" ];
  rustfmt = machines "rustfmt" [ "rustfmt" "cargo-fmt" ];
  unzip = machines "unzip" [ "unzip" ];
}

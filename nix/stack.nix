# The stack under test, and the suite that tests it, built once from this source.
{ pkgs, src }:
let
  version = (builtins.fromTOML (builtins.readFile ../Cargo.toml)).workspace.package.version;

  workspace = pkgs.rustPlatform.buildRustPackage {
    pname = "stigmer-e2e-workspace";
    inherit src version;
    cargoLock.lockFile = ../Cargo.lock;
    # The profile of every other run: what is tested is what `cargo xtask` builds.
    buildPhase = ''
      runHook preBuild
      cargo build --offline --locked --workspace --exclude 'fixture-*' --bins --test suite
      runHook postBuild
    '';
    # Most tests need services; those are the business of `nix run`.
    doCheck = false;
    installPhase = ''
      runHook preInstall
      mkdir -p "$out/bin" "$out/libexec"
      for name in stigmer stigmer-server stigmer-workflow-runner stigmer-agent-runner stigmer-e2e xtask; do
        install -m755 "target/debug/$name" "$out/bin/$name"
      done
      suite=$(find target/debug/deps -maxdepth 1 -name 'suite-*' -type f -perm -u+x)
      install -m755 "$suite" "$out/libexec/suite"
      runHook postInstall
    '';
  };

  part = file: pkgs.runCommand "${baseNameOf file}-${version}" { meta.mainProgram = baseNameOf file; } ''
    mkdir -p "$out/bin"
    ln -s ${workspace}/${file} "$out/bin/"
  '';
in
{
  inherit version workspace;
  packages = {
    inherit workspace;
    cli = part "bin/stigmer";
    server = part "bin/stigmer-server";
    workflow-runner = part "bin/stigmer-workflow-runner";
    agent-runner = part "bin/stigmer-agent-runner";
    suite = part "libexec/suite";
  };
}

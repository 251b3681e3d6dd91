// Compiles every contract to artifacts/NAME.wasm. `--check` compares instead of writing.
//
// Arguments other than `--check` name contracts; without any, all are built. The same compiler (rust-toolchain.toml),
// the same dependencies (Cargo.lock) and the same optimiser (package-lock.json) give the same bytes on every machine.
//
// artifacts/sources.json says, for each artefact, its hash and that of everything it was made from: what a check can
// still compare on a machine that cannot have the compiler.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const artifactDir = join(here, 'artifacts');
// As .cargo/config.toml says.
const target = join(here, '../../target/contracts');
const wasm = 'wasm32-unknown-unknown';
const record = 'sources.json';

// What the chain links, by the line of the standard library that a contract names in its marker export.
const common = [
  'db_read', 'db_write', 'db_remove', 'query_chain', 'canonicalize_address', 'humanize_address', 'secp256k1_verify',
  'secp256k1_recover_pubkey', 'secp256k1_sign', 'ed25519_verify', 'ed25519_batch_verify', 'ed25519_sign',
];
const lines = {
  interface_version_8: {
    imports: [...common, 'addr_canonicalize', 'addr_humanize', 'addr_validate', 'debug', 'check_gas', 'gas_evaporate'],
    exports: ['allocate', 'deallocate', 'instantiate'],
  },
  cosmwasm_vm_version_3: { imports: common, exports: ['allocate', 'deallocate', 'init', 'handle', 'query'] },
};

main();

function main() {
  const all = contractNames();
  const asked = process.argv.slice(2).filter((argument) => argument !== '--check');
  const names = asked.length > 0 ? asked : all;
  mkdirSync(artifactDir, { recursive: true });
  if (process.argv.includes('--check')) check(names, all);
  else write(names, all);
}

function write(names, all) {
  addTarget();
  for (const name of names) {
    const { bytes, faults } = build(name);
    if (faults.length > 0) fail(faults.join('\n'));
    writeFileSync(artifact(name), bytes);
    console.log(`${name}: ${bytes.length} bytes`);
  }
  const sources = { ...readRecord(), ...Object.fromEntries(names.map((name) => [name, recorded(name)])) };
  const kept = all.filter((name) => name in sources).map((name) => [name, sources[name]]);
  writeFileSync(join(artifactDir, record), `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
}

function check(names, all) {
  const sources = readRecord();
  const wrong = names
    .filter((name) => !existsSync(artifact(name)) || JSON.stringify(recorded(name)) !== JSON.stringify(sources[name]))
    .map((name) => `${name}: the artefact is of other sources`);
  const known = [record, ...all.map((name) => `${name}.wasm`)];
  wrong.push(...readdirSync(artifactDir).filter((file) => !known.includes(file)).map((file) => `${file}: has no source`));
  try {
    addTarget();
  } catch (missing) {
    report(wrong, `${names.length} artefacts are those of sources.json. NOT COMPILED: ${missing.message}`);
    return;
  }
  for (const name of names) {
    const { bytes, faults } = build(name);
    wrong.push(...faults);
    if (existsSync(artifact(name)) && !readFileSync(artifact(name)).equals(bytes)) {
      wrong.push(`${name}: the artefact differs from its source`);
    }
  }
  report(wrong, `${names.length} artefacts match their sources`);
}

function report(wrong, fine) {
  if (wrong.length > 0) fail(`${wrong.join('\n')}\nRun: npm run build`);
  console.log(fine);
}

/** The compiler that rust-toolchain.toml names must be there; what it needs for WebAssembly is added to it. */
function addTarget() {
  run('rustup', ['--quiet', 'target', 'add', wasm], { cwd: here, env: environment() });
  run('cargo', ['fetch', '--quiet', '--locked', '--target', wasm], { cwd: here, env: environment() });
}

function build(name) {
  const optimised = optimise(compile(name), name);
  const bytes = readFileSync(optimised);
  return { bytes, faults: [...linkFaults(bytes), ...floats(optimised)].map((fault) => `${name}: ${fault}`) };
}

/** What the record holds of a contract: hashes of its artefact and of everything it is made from. */
function recorded(name) {
  const made = createHash('sha256');
  const common = ['build.mjs', 'Cargo.lock', 'Cargo.toml', 'package-lock.json', 'rust-toolchain.toml'];
  for (const path of [...common.map((file) => join(here, file)), ...['packages', name].flatMap(sourcesIn)]) {
    made.update(`${relative(here, path)}\0${sha256(readFileSync(path))}\n`);
  }
  return { wasm: sha256(readFileSync(artifact(name))), sources: made.digest('hex') };
}

/** Without unit tests, which are not in the artefact. */
function sourcesIn(folder) {
  const files = readdirSync(join(here, folder), { recursive: true }).map((file) => join(here, folder, file));
  return files.filter((path) => /\.(rs|toml)$/.test(path) && !/\/tests(\.rs|\/)/.test(path)).sort();
}

function readRecord() {
  const path = join(artifactDir, record);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}

function artifact(name) {
  return join(artifactDir, `${name}.wasm`);
}

/** One contract at a time: built together, they would share the features that any of them asks for. */
function compile(name) {
  const flags = [
    // 3 pages of memory at the start instead of 17.
    '-Clink-arg=-zstack-size=131072',
    // Panic messages name source files: the same ones wherever they lie.
    ...[here, ...registries()].map((folder) => `--remap-path-prefix=${folder}=/source`),
  ];
  const args = ['build', '--quiet', '--locked', '--release', '--lib', '--target', wasm, '-p', name];
  run('cargo', args, { cwd: here, env: { ...environment(), CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') } });
  return join(target, wasm, 'release', `${name.replaceAll('-', '_')}.wasm`);
}

/** Without what an outer cargo sets: it would choose another compiler or other flags. */
function environment() {
  const env = { ...process.env };
  for (const name of ['RUSTUP_TOOLCHAIN', 'RUSTFLAGS', 'RUSTC', 'CARGO', 'RUSTC_WRAPPER', 'CARGO_TARGET_DIR']) delete env[name];
  return env;
}

/** Where cargo unpacks dependencies: the folder is called after the registry they came from, which may be a mirror. */
function registries() {
  const folder = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry/src');
  return readdirSync(folder).map((name) => join(folder, name));
}

function optimise(compiled, name) {
  const optimised = join(target, `${name}.wasm`);
  const strip = ['--strip-debug', '--strip-producers', '--strip-target-features'];
  binaryen('wasm-opt', ['-O3', ...strip, compiled, '-o', optimised]);
  return optimised;
}

/** What an upload would be refused for: an import that the chain does not link, an export that it needs. */
function linkFaults(bytes) {
  const module = new WebAssembly.Module(bytes);
  const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
  const marker = Object.keys(lines).find((name) => exported.includes(name));
  if (!marker) return ['no marker export'];
  const strange = WebAssembly.Module.imports(module)
    .filter(({ module, name }) => module !== 'env' || !lines[marker].imports.includes(name))
    .map(({ module, name }) => `imports ${module}.${name}`);
  const missing = lines[marker].exports.filter((name) => !exported.includes(name)).map((name) => `lacks ${name}`);
  return [...strange, ...missing];
}

/** Floating point differs between processors, so the chain refuses it. */
function floats(path) {
  const text = binaryen('wasm-dis', [path]);
  const code = text.split('\n').filter((line) => !line.startsWith(' (data'));
  const found = code.filter((line) => /\bf(32|64)\b|_f(32|64)/.test(line));
  return found.length > 0 ? [`${found.length} lines with floating point, such as ${found[0].trim()}`] : [];
}

function binaryen(tool, args) {
  return run(process.execPath, [join(here, 'node_modules/binaryen/bin', tool), ...args]);
}

function run(program, args, options = {}) {
  return execFileSync(program, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function contractNames() {
  return readdirSync(here).filter((name) => existsSync(join(here, name, 'Cargo.toml'))).sort();
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

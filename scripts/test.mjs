/**
 * `npm test`: the set-up, the static checks, then every test this machine can run. What it can't run says so itself;
 * `npm test -- PATTERN` runs only the test files whose path contains PATTERN.
 */
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { ensureDebianPackages, ensureInstalled, node24, root, run } from './setup.mjs'

ensureInstalled()

const missing = ensureDebianPackages()
for (const { program, package: name } of missing) {
  process.stdout.write(`Not here: ${program} (Debian package ${name}). Suites that need it are skipped.\n`)
}
if (process.getuid?.() !== 0)
  process.stdout.write('Not root: suites with loop devices and mounts are skipped.\n')

const patterns = process.argv.slice(2)
const tool = (path, ...argv) => run(node24, [join(root, 'node_modules', path), ...argv])

if (patterns.length === 0) {
  tool('typescript/bin/tsc', '-b', 'tsconfig.json')
  tool(
    'oxlint/bin/oxlint',
    '-c',
    'oxlint.config.ts',
    '--type-aware',
    '--deny-warnings',
    'src',
    'test',
    'bench',
    'scripts',
  )
  tool('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')
  tool('knip/bin/knip.js')
}

// The window and the packaged worker are tested as they are shipped.
tool('electron-vite/bin/electron-vite.js', 'build', '--logLevel', 'warn')

const report = join(tmpdir(), `reprise-tests-${process.pid}.json`)
const { status } = spawnSync(
  node24,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...patterns,
  ],
  { cwd: root, stdio: 'inherit' },
)
try {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'))
  process.stdout.write(
    `\nTests: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped\n`,
  )
} finally {
  rmSync(report, { force: true })
}
process.exit(status ?? 1)
